from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from compiler.op.errors import OpError
from compiler.symbolic.tensor import TensorType
from tests.compiler.symbolic.values import dimension
from tests.ops.coverage import each
from tests.ops.draws import KINDS, type_of, types
from tests.ops.harness import check, infer, run, tensor

AXES = st.one_of(st.integers(-4, 3), st.lists(st.integers(-3, 2), max_size=3))


@each("mean", "sum", "max", "min", "logsumexp")
@given(types(kinds=KINDS), AXES, st.booleans())
def test_reductions(op: str, input: TensorType, dim: Any, keepdim: bool) -> None:
    if op != "logsumexp" or dim != []:  # for which torch's devices disagree
        check(op, {"dim": dim, "keepdim": keepdim}, {"input": input})


@each("var", "std")
@given(types(1, 4, st.integers(2, 5)) | types(0, 4, kinds=KINDS), AXES, st.booleans())
def test_spread(op: str, input: TensorType, dim: Any, keepdim: bool) -> None:
    check(op, {"dim": dim, "keepdim": keepdim}, {"input": input})
    check(op, {"dim": dim, "correction": 0}, {"input": input})


@each("any", "all", "count_nonzero")
@given(types(kinds=KINDS), AXES, st.booleans())
def test_questions(op: str, input: TensorType, dim: Any, keepdim: bool) -> None:
    if dim != []:  # which means none to torch here, and all there
        arguments = {} if op == "count_nonzero" else {"keepdim": keepdim}
        check(op, {"dim": dim, **arguments}, {"input": input})
    check(op, {}, {"input": input})


@each("prod")
@given(types(kinds=KINDS), st.integers(-4, 3), st.booleans())
def test_prod(op: str, input: TensorType, dim: int, keepdim: bool) -> None:
    check(op, {"dim": dim, "keepdim": keepdim}, {"input": input})
    check(op, {"keepdim": keepdim}, {"input": input})


@given(
    types(kinds=KINDS),
    st.sampled_from(["mean", "sum", "max", "min", "var", "argmax", "argmin"]),
    st.booleans(),
)
def test_over_all(input: TensorType, op: str, keepdim: bool) -> None:
    check(op, {}, {"input": input})
    check(op, {"keepdim": keepdim}, {"input": input})


@each("quantile")
@given(types(kinds=KINDS), st.floats(-0.1, 1.1), st.integers(-4, 3), st.booleans())
def test_quantile(
    op: str, input: TensorType, q: float, dim: int, keepdim: bool
) -> None:
    given = {"q": q, "dim": dim, "keepdim": keepdim}
    check(op, given, {"input": input}, device="cpu")
    check(op, {"q": q}, {"input": input}, device="cpu")


@each("argmax", "argmin")
@given(types(kinds=KINDS), st.integers(-4, 3), st.booleans())
def test_positions(op: str, input: TensorType, dim: int, keepdim: bool) -> None:
    check(op, {"dim": dim, "keepdim": keepdim}, {"input": input})
    check(op, {"keepdim": keepdim}, {"input": input})


@pytest.mark.parametrize("op", ["mean", "sum", "max", "min", "logsumexp", "argmax"])
@pytest.mark.parametrize("shape", [[0], [2, 0], [0, 2], [0, 0]])
def test_nothing_to_reduce(op: str, shape: list[int]) -> None:
    check(op, {"dim": -1}, {"input": type_of(*shape)})
    check(op, {"dim": 0}, {"input": type_of(*shape)})


def test_code_reads_as_written_by_hand() -> None:
    def line(op: str, **arguments: Any) -> str:
        return check(op, arguments, {"input": tensor("float[2, 3, 4]")}).forward[0]

    assert line("mean", dim=1) == "return input.mean(dim=1)"
    assert line("sum", dim=[1, 2]) == "return input.sum(dim=(1, 2))"
    assert (
        line("max", dim=-1, keepdim=True) == "return input.amax(dim=-1, keepdim=True)"
    )
    assert line("mean") == "return input.mean()"
    assert line("var", dim=1, correction=0) == "return input.var(dim=1, correction=0)"
    assert line("any", dim=[1, 2]) == "return input.any(dim=(1, 2))"
    assert line("argmax", dim=-1) == "return input.argmax(dim=-1)"


def test_values() -> None:
    x = torch.randn(2, 3)
    assert torch.equal(run("max", {"dim": 1}, {"input": x}), x.max(1).values)
    assert torch.equal(run("argmax", {"dim": 1}, {"input": x}), x.argmax(1))


def test_symbols() -> None:
    inputs = {"input": tensor("float[B, C, H, W]")}
    assert infer("mean", {"dim": [2, 3]}, inputs) == (tensor("float[B, C]"),)
    assert infer("mean", {"dim": -1, "keepdim": True}, inputs) == (
        tensor("float[B, C, H, 1]"),
    )
    assert infer("argmax", {"dim": 1}, inputs) == (tensor("int[B, H, W]"),)


def test_a_size_that_may_be_zero_is_refused() -> None:
    inputs = {"input": TensorType("float", (dimension("T") // 2,))}
    with pytest.raises(OpError) as caught:
        infer("max", {"dim": 0}, inputs)
    assert caught.value.code == "size-too-small"
