"""arange, linspace, meshgrid; zeros, ones and full of shapes that may hold symbols."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.op.errors import OpError
from compiler.symbolic.tensor import Kind, TensorType
from tests.ops.coverage import each
from tests.ops.draws import KINDS, SELDOM, shapes, type_of, types
from tests.ops.harness import check, infer, tensor

NUMBERS = st.integers(-9, 9)


@each("arange")
@given(types(kinds=KINDS), st.integers(-4, 4) | st.none())
def test_positions(op: str, input: TensorType, dim: int | None) -> None:
    check(op, {} if dim is None else {"dim": dim}, {"input": input})


@each("arange")
@given(types(kinds=KINDS), NUMBERS, NUMBERS, NUMBERS)
def test_arange(op: str, input: TensorType, start: int, end: int, step: int) -> None:
    check(op, {"end": end}, {"input": input})
    check(op, {"start": start, "end": end}, {"input": input})
    check(op, {"start": start, "end": end, "step": step}, {"input": input})


@each("linspace")
@given(types(kinds=KINDS), st.floats(-2, 2), st.floats(-2, 2), st.integers(-1, 5))
def test_linspace(
    op: str, input: TensorType, start: float, end: float, steps: int
) -> None:
    check(op, {"start": start, "end": end, "steps": steps}, {"input": input})


@each("meshgrid")
@given(
    st.lists(st.integers(1, 4), min_size=1, max_size=4),
    KINDS,
    st.sampled_from(["ij", "xy", None]),
    SELDOM,
)
def test_meshgrid(
    op: str, sizes: list[int], kind: Kind, indexing: str | None, odd: bool
) -> None:
    arguments = {} if indexing is None else {"indexing": indexing}
    inputs = tuple(type_of(size, kind=kind) for size in sizes)
    other = type_of(2, kind="bool" if kind == "int" else "int")
    check(op, arguments, {"inputs": (*inputs, other) if odd else inputs})


@each("zeros", "ones")
@given(types(kinds=KINDS), shapes(), st.none() | KINDS)
def test_filled(op: str, input: TensorType, shape: list[int], dtype: Any) -> None:
    arguments = {"shape": shape} | ({} if dtype is None else {"dtype": dtype})
    check(op, arguments, {"input": input})


@each("full")
@given(types(kinds=KINDS), shapes(), st.sampled_from([0, 1, -3, 0.5, 1.0, True, False]))
def test_full(op: str, input: TensorType, shape: list[int], value: Any) -> None:
    check(op, {"shape": shape, "fill_value": value}, {"input": input})


@each("eye")
@given(types(kinds=KINDS), st.integers(0, 4), st.none() | st.integers(0, 4))
def test_eye(op: str, input: TensorType, n: int, m: int | None) -> None:
    check(op, {"n": n} | ({} if m is None else {"m": m}), {"input": input})


def test_sizes_may_be_symbols() -> None:
    x = {"input": tensor("float[B, T, 4]")}
    assert infer("arange", {"end": "T"}, x) == (tensor("int[T]"),)
    shape = ["B", 2, "T"]
    assert infer("zeros", {"shape": shape}, x) == (tensor("float[B, 2, T]"),)
    assert infer("eye", {"n": "T"}, x) == (tensor("float[T, T]"),)
    assert infer("eye", {"n": "B", "m": "T - 1"}, x) == (tensor("float[B, T - 1]"),)
    columns = {"inputs": (tensor("int[H]"), tensor("int[W]"))}
    assert infer("meshgrid", {"indexing": "xy"}, columns) == (tensor("int[W, H]"),) * 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"end": 4, "dim": 1}, "either an end, or the dim"),
        ({"start": 1}, "with a start needs an end"),
        ({"step": 2}, "with a step needs an end"),
        ({"start": "T", "end": 4}, "the distance from start to end"),
    ],
)
def test_ranges_that_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(OpError, match=message):
        infer("arange", arguments, {"input": tensor("float[B, T]")})


def test_code_reads_as_written_by_hand() -> None:
    x = {"input": tensor("float[2, 3]")}
    places = check("arange", {}, x)
    assert places.forward == [
        "return torch.arange(input.shape[1], device=input.device)"
    ]
    rows = check("arange", {"end": 4}, x)
    assert rows.forward == ["return torch.arange(4, device=input.device)"]
    eye = check("eye", {"n": 4}, x)
    assert eye.forward == [
        "return torch.eye(4, dtype=input.dtype, device=input.device)"
    ]
    zeros = check("zeros", {"shape": [2, 4]}, x)
    assert zeros.forward == ["return input.new_zeros(2, 4)"]
    full = check("full", {"shape": [2], "fill_value": 3}, x)
    assert full.forward == ["return input.new_full((2,), 3, dtype=torch.int64)"]
