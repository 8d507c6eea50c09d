"""Elements at positions that a tensor holds."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from compiler.op.errors import OpError
from compiler.symbolic.tensor import Kind
from tests.ops.coverage import each
from tests.ops.draws import KINDS, SELDOM, alike, label, one_line, shapes, type_of
from tests.ops.harness import check, infer, run, tensor

AXES = st.integers(-4, 3)


@st.composite
def within(draw: st.DrawFn, shape: list[int]) -> list[int]:
    """A shape of which no size is greater, but seldom."""
    most = draw(SELDOM) * 2
    return [draw(st.integers(1, size + most)) for size in shape] + [1] * draw(SELDOM)


@each("gather", "take_along_dim")
@given(st.data(), shapes(1, 3), AXES, KINDS)
def test_read(
    op: str, data: st.DataObject, shape: list[int], dim: int, kind: Kind
) -> None:
    ours = alike(shape) if op == "take_along_dim" else within(shape)
    index = data.draw(ours)
    place = "indices" if op == "take_along_dim" else "index"
    inputs = {"input": type_of(*shape, kind=kind), place: type_of(*index, kind="int")}
    check(op, {"dim": dim}, inputs, device="cpu")


@each("index_select")
@given(shapes(1, 3), AXES, shapes(0, 2), KINDS)
def test_index_select(
    op: str, shape: list[int], dim: int, index: list[int], kind: Kind
) -> None:
    inputs = {"input": type_of(*shape, kind=kind), "index": type_of(*index, kind="int")}
    check(op, {"dim": dim}, inputs, device="cpu")


@each("index_add")
@given(st.data(), shapes(1, 3), AXES, KINDS)
def test_index_add(
    op: str, data: st.DataObject, shape: list[int], dim: int, kind: Kind
) -> None:
    count, source = data.draw(st.integers(1, 4)), list(shape)
    source[dim % len(shape)] = count
    if data.draw(SELDOM):
        source = data.draw(alike(source))
    inputs = {
        "input": type_of(*shape, kind=kind),
        "index": type_of(count, kind="int"),
        "source": type_of(*source, kind=data.draw(st.sampled_from([kind, "float"]))),
    }
    check(op, {"dim": dim}, inputs, device="cpu")


@each("scatter_reduce")
@given(
    st.data(),
    shapes(1, 3),
    AXES,
    KINDS,
    st.sampled_from(["sum", "prod", "mean", "amax", "amin"]),
    st.booleans(),
)
def test_scatter_reduce(
    op: str,
    data: st.DataObject,
    shape: list[int],
    dim: int,
    kind: Kind,
    reduce: str,
    include_self: bool,
) -> None:
    index = data.draw(within(shape))
    inputs = {
        "input": type_of(*shape, kind=kind),
        "index": type_of(*index, kind="int"),
        "src": type_of(*index, kind=kind),
    }
    given = {"dim": dim, "reduce": reduce, "include_self": include_self}
    check(op, given, inputs, device="cpu")


@each("scatter", "scatter_add")
@given(st.data(), shapes(1, 3), AXES, KINDS)
def test_write(
    op: str, data: st.DataObject, shape: list[int], dim: int, kind: Kind
) -> None:
    index = data.draw(within(shape))
    src = [size + data.draw(st.sampled_from([0, 0, 1, 2])) for size in index]
    if data.draw(SELDOM):
        src = data.draw(alike(src))
    inputs = {
        "input": type_of(*shape, kind=kind),
        "index": type_of(*index, kind="int"),
        "src": type_of(*src, kind=data.draw(st.sampled_from([kind, kind, "float"]))),
    }
    check(op, {"dim": dim}, inputs, device="cpu")


def test_code_reads_as_written_by_hand() -> None:
    x, index = tensor("float[2, 3]"), tensor("int[2, 3]")

    def line(op: str, **inputs: Any) -> str:
        return one_line(check(op, {"dim": 1}, {"input": x, **inputs}).forward)

    assert line("gather", index=index) == "return input.gather(1, index)"
    wrapped = "torch.where(indices < 0, indices + 3, indices)"
    assert line("take_along_dim", indices=index) == (
        f"return input.gather(1, {wrapped})"
    )
    row = tensor("int[1, 4]")
    assert line("take_along_dim", indices=row) == (
        f"return input.gather(1, {wrapped}.expand(2, -1))"
    )
    found = check(
        "take_along_dim", {"dim": 0}, {"input": tensor("float[2, 1]"), "indices": index}
    )
    assert found.forward == ["return torch.take_along_dim(input, indices, dim=0)"]
    one = tensor("int[4]")
    assert line("index_select", index=one) == "return input.index_select(1, index)"
    assert line("scatter_add", index=index, src=x) == (
        "return input.scatter_add(1, index, src)"
    )


def test_values() -> None:
    x, order = torch.randn(2, 4), torch.tensor([[3, 0], [1, 1]])
    found = run("gather", {"dim": 1}, {"input": x, "index": order})
    assert torch.equal(found, torch.stack([x[0, [3, 0]], x[1, [1, 1]]]))
    inputs = {"input": torch.zeros(2, 4), "index": order, "src": torch.ones(2, 2)}
    found = run("scatter_add", {"dim": 1}, inputs)
    assert found.tolist() == [[1, 0, 0, 1], [0, 2, 0, 0]]


def test_symbols() -> None:
    x = tensor("float[B, T, D]")
    inputs = {"input": x, "index": tensor("int[B, S, D]")}
    assert infer("gather", {"dim": 1}, inputs) == (tensor("float[B, S, D]"),)
    inputs = {"input": x, "indices": tensor("int[B, S, 1]")}
    assert infer("take_along_dim", {"dim": 1}, inputs) == (tensor("float[B, S, D]"),)
    inputs = {"input": x, "index": tensor("int[S]")}
    assert infer("index_select", {"dim": 1}, inputs) == (tensor("float[B, S, D]"),)
    short = {"input": tensor("float[B, T // 2, D]"), "index": tensor("int[S]")}
    with pytest.raises(OpError, match="which can be smaller than 1"):
        infer("index_select", {"dim": 1}, short)
    with pytest.raises(OpError) as caught:
        infer("gather", {"dim": 0}, {"input": x, "index": tensor("int[B, S, D]")})
    assert (caught.value.code, caught.value.port) == ("size-too-small", "index")


def test_labels() -> None:
    x, index = type_of(2, 3), type_of(2, 3, kind="int")
    assert label("gather", {"dim": 1}, input=x, index=index) == "dim 1"
    assert label("take_along_dim", {"dim": 1}, input=x, indices=index) == "dim 1"
    one = type_of(3, kind="int")
    assert label("index_select", {"dim": 1}, input=x, index=one) == "dim 1"
    assert label("scatter", {"dim": 1}, input=x, index=index, src=x) == "dim 1"
