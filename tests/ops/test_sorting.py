from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from compiler.op.errors import OpError
from compiler.symbolic.symbols import of_networks
from compiler.symbolic.tensor import TensorType
from tests.ops.coverage import each
from tests.ops.draws import KINDS, label, some, type_of, types
from tests.ops.harness import check, infer, run, tensor

FLAGS = some(dim=st.integers(-4, 3), descending=st.booleans(), stable=st.booleans())


@each("topk")
@given(
    types(kinds=KINDS),
    st.integers(-1, 4),
    some(dim=st.integers(-4, 3), largest=st.booleans(), sorted=st.booleans()),
)
def test_topk(op: str, input: TensorType, k: int, arguments: dict[str, Any]) -> None:
    check(op, {"k": k, **arguments}, {"input": input})


@each("kthvalue")
@given(
    types(kinds=KINDS),
    st.integers(0, 4),
    some(dim=st.integers(-4, 3), keepdim=st.booleans()),
)
def test_kthvalue(
    op: str, input: TensorType, k: int, arguments: dict[str, Any]
) -> None:
    check(op, {"k": k, **arguments}, {"input": input}, device="cpu")


@each("median")
@given(types(kinds=KINDS), st.integers(-4, 3), st.booleans())
def test_median(op: str, input: TensorType, dim: int, keepdim: bool) -> None:
    check(op, {"dim": dim, "keepdim": keepdim}, {"input": input}, device="cpu")


@each("sort", "argsort")
@given(types(kinds=KINDS), FLAGS)
def test_sort(op: str, input: TensorType, arguments: dict[str, Any]) -> None:
    check(op, arguments, {"input": input}, device="cpu")


def test_code_reads_as_written_by_hand() -> None:
    def lines(op: str, **arguments: Any) -> list[str]:
        return check(op, arguments, {"input": tensor("float[2, 3]")}).forward

    assert lines("topk", k=2)[0] == "output_0, output_1 = input.topk(2)"
    assert lines("topk", k=2, dim=0, largest=False)[0] == (
        "output_0, output_1 = input.topk(2, dim=0, largest=False)"
    )
    assert lines("argsort", dim=0) == ["return input.argsort(dim=0)"]
    assert lines("sort", descending=True)[0] == (
        "output_0, output_1 = input.sort(descending=True)"
    )


def test_values() -> None:
    x = torch.randn(3, 5)
    values, indices = run("topk", {"k": 2}, {"input": x})
    expected = x.sort(-1, descending=True).values[:, :2]
    assert torch.equal(values, expected)
    assert torch.equal(x.gather(1, indices), expected)
    order = run("argsort", {}, {"input": x})
    assert torch.equal(x.gather(1, order), x.sort().values)


def test_symbols() -> None:
    inputs = {"input": tensor("float[B, T]")}
    values, indices = infer("topk", {"k": "T // 2"}, inputs)
    assert (values, indices) == (tensor("float[B, T // 2]"), tensor("int[B, T // 2]"))
    with pytest.raises(OpError) as caught:
        infer("topk", {"k": 2}, inputs)
    assert caught.value.code == "size-too-small"
    assert caught.value.conditions.least == of_networks({"T": 2})


def test_labels() -> None:
    assert label("topk", {"k": 2}, input=type_of(2, 3)) == "2 of dim -1"
    assert label("sort", {"dim": 0}, input=type_of(2, 3)) == "dim 0"
