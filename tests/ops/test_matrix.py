from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from compiler.op.errors import OpError
from compiler.symbolic.domain import Constraint, Domain
from compiler.symbolic.symbols import of_networks
from compiler.symbolic.tensor import TensorType
from tests.ops.coverage import each
from tests.ops.draws import KINDS, label, of_rank, some, type_of, types
from tests.ops.harness import check, infer, run, tensor

OFFSETS = st.integers(-4, 4)
AXES = st.integers(-4, 3)


@each("tril", "triu")
@given(types(kinds=KINDS), OFFSETS)
def test_triangle(op: str, input: TensorType, diagonal: int) -> None:
    check(op, {"diagonal": diagonal}, {"input": input})


@each("diagonal")
@given(types(kinds=KINDS), some(offset=OFFSETS, dim1=AXES, dim2=AXES))
def test_diagonal(op: str, input: TensorType, arguments: dict[str, Any]) -> None:
    check(op, arguments, {"input": input})


@each("trace")
@given(types(2, 2, kinds=KINDS) | types(kinds=KINDS))
def test_trace(op: str, input: TensorType) -> None:
    check(op, {}, {"input": input}, device="cpu")


@each("outer")
@given(of_rank([1]), of_rank([1]), KINDS, KINDS)
def test_outer(op: str, a: TensorType, b: TensorType, left: Any, right: Any) -> None:
    check(op, {}, {"input": a.with_kind(left), "other": b.with_kind(right)})


LINES = [
    ("tril", {}, "torch.tril(input)"),
    ("triu", {"diagonal": 1}, "torch.triu(input, 1)"),
    ("diagonal", {"dim1": -2, "dim2": -1}, "input.diagonal(dim1=-2, dim2=-1)"),
    ("trace", {}, "input.trace()"),
]


@pytest.mark.parametrize(("op", "arguments", "line"), LINES)
def test_code_reads_as_written_by_hand(op: str, arguments: Any, line: str) -> None:
    found = check(op, arguments, {"input": tensor("float[4, 4]")})
    assert found.forward == [f"return {line}"]


def test_values() -> None:
    x, y = torch.randn(3), torch.randn(4)
    found = run("outer", {}, {"input": x, "other": y})
    assert torch.equal(found, x[:, None] * y)
    assert torch.equal(run("diagonal", {}, {"input": found}), x * y[:3])


def test_symbols() -> None:
    def diagonal(text: str, **arguments: Any) -> str:
        return str(infer("diagonal", arguments, {"input": tensor(text)})[0])

    assert diagonal("float[T, T]") == "float[T]"
    assert diagonal("float[T, T, D]", offset=1) == "float[D, T - 1]"
    assert diagonal("float[T, T]", offset=-1) == "float[T - 1]"
    assert diagonal("float[T, T + 3]", offset=3) == "float[T]"
    assert diagonal("float[3, 2]", offset=5) == "float[0]"


@pytest.mark.parametrize(("text", "offset"), [("float[T, S]", 0), ("float[T, T]", 2)])
def test_a_length_that_depends_on_sizes_is_refused(text: str, offset: int) -> None:
    with pytest.raises(OpError) as caught:
        infer("diagonal", {"offset": offset}, {"input": tensor(text)})
    assert caught.value.code in ("constraint", "size-too-small")


def test_a_least_size_is_believed() -> None:
    domain = Domain(of_networks({"T": Constraint(min=2)}))
    inputs = {"input": tensor("float[T, T]")}
    found = infer("diagonal", {"offset": 2}, inputs, domain=domain)
    assert found == (tensor("float[T - 2]"),)


def test_labels() -> None:
    square = type_of(3, 3)
    assert label("tril", {}, input=square) == ""
    assert label("tril", {"diagonal": -1}, input=square) == "from -1"
    assert label("diagonal", {}, input=square) == "dims 0, 1"
