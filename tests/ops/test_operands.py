"""Arguments that are tensors as well: bounds, exponents, repeats, what differences begin with; search in rows."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from compiler.op.errors import OpError
from compiler.symbolic.tensor import Kind
from tests.ops.coverage import each
from tests.ops.draws import SELDOM, alike, shapes, some, type_of
from tests.ops.harness import check, infer, run, tensor

NUMBERS: st.SearchStrategy[Kind] = st.sampled_from(["float", "int"])
BOUNDS = st.sampled_from([-1, 0, 2, 0.5])


@each("clamp")
@given(st.data(), shapes(), NUMBERS, some(min=BOUNDS, max=BOUNDS))
def test_clamp(
    op: str, data: st.DataObject, shape: list[int], kind: Kind, given: dict[str, Any]
) -> None:
    inputs = {"input": type_of(*shape, kind=kind)}
    for port in data.draw(st.sets(st.sampled_from(["min", "max"]))) - given.keys():
        inputs[port] = type_of(*data.draw(alike(shape)), kind=data.draw(NUMBERS))
    if given or len(inputs) > 1:
        check(op, given, inputs)


@each("pow")
@given(st.data(), shapes(), NUMBERS, NUMBERS)
def test_pow(
    op: str, data: st.DataObject, shape: list[int], kind: Kind, other: Kind
) -> None:
    exponent = type_of(*data.draw(alike(shape)), kind=other)
    check(op, {}, {"input": type_of(*shape, kind=kind), "exponent": exponent})


@each("div")
@given(st.data(), shapes(), NUMBERS, NUMBERS, st.sampled_from(["floor", "trunc"]))
def test_div(
    op: str, data: st.DataObject, shape: list[int], kind: Kind, other: Kind, mode: str
) -> None:
    divisor = type_of(*data.draw(alike(shape)), kind=other)
    inputs = {"input": type_of(*shape, kind=kind), "other": divisor}
    check(op, {"rounding_mode": mode}, inputs)


@each("diff")
@given(st.data(), shapes(1, 3), NUMBERS, st.integers(1, 4), st.integers(-3, 2))
def test_diff(
    op: str, data: st.DataObject, shape: list[int], kind: Kind, n: int, dim: int
) -> None:
    inputs = {"input": type_of(*shape, kind=kind)}
    for port in data.draw(st.sets(st.sampled_from(["prepend", "append"]))):
        more = list(shape)
        more[dim % len(shape)] = data.draw(st.integers(1, 2))
        more = data.draw(alike(more)) if data.draw(SELDOM) else more
        inputs[port] = type_of(*more, kind=kind)
    check(op, {"n": n, "dim": dim}, inputs)


@each("repeat_interleave")
@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=4),
    st.sampled_from([None, 0, -1]),
    SELDOM,
)
def test_repeats(op: str, repeats: list[int], dim: int | None, odd: bool) -> None:
    # On torch's meta device the size is that of the argument, whatever the repeats are.
    arguments: dict[str, Any] = {"output_size": sum(repeats)}
    arguments |= {} if dim is None else {"dim": dim}
    inputs = {
        "input": type_of(2, len(repeats)) if dim == -1 else type_of(len(repeats)),
        "repeats": type_of(len(repeats) + odd, kind="int"),
    }
    check(op, arguments, inputs, dims={"N": 1} if odd else None)


@each("bucketize")
@given(shapes(), NUMBERS, NUMBERS, shapes(0, 2), some(right=st.booleans()))
def test_bucketize(
    op: str, shape: list[int], kind: Kind, other: Kind, row: list[int], given: Any
) -> None:
    row = row if len(row) != 2 else row[:1]
    boundaries = type_of(*row, kind=other)
    inputs = {"input": type_of(*shape, kind=kind), "boundaries": boundaries}
    check(op, given, inputs, device="cpu")


@each("searchsorted")
@given(st.data(), shapes(1, 3), NUMBERS, NUMBERS, some(right=st.booleans()))
def test_searchsorted(
    op: str, data: st.DataObject, row: list[int], kind: Kind, other: Kind, given: Any
) -> None:
    numbers = [*row[:-1], data.draw(st.integers(1, 4))]
    numbers = data.draw(alike(numbers)) if data.draw(SELDOM) else numbers
    inputs = {
        "sorted_sequence": type_of(*row, kind=kind),
        "input": type_of(*numbers, kind=other),
    }
    check(op, given, inputs, device="cpu")


@each("masked_scatter")
@given(st.data(), shapes(), NUMBERS, NUMBERS)
def test_masked_scatter(
    op: str, data: st.DataObject, shape: list[int], kind: Kind, other: Kind
) -> None:
    inputs = {
        "input": type_of(*shape, kind=kind),
        "mask": type_of(*data.draw(alike(shape)), kind="bool"),
        "source": type_of(1000, kind=other),
    }
    check(op, {}, inputs, device="cpu")


X = torch.tensor([1.0, -2.0, 4.0])
LOW = torch.tensor([0.0, 1.0, 5.0])


@pytest.mark.parametrize(
    ("op", "arguments", "inputs", "wanted"),
    [
        ("clamp", {"max": 2.0}, {"input": X, "min": LOW}, [1.0, 1.0, 2.0]),
        ("pow", {}, {"input": LOW, "exponent": LOW}, [1.0, 1.0, 3125.0]),
        ("diff", {}, {"input": X, "prepend": LOW[:1]}, [1.0, -3.0, 6.0]),
        (
            "repeat_interleave",
            {"output_size": 3},
            {"input": X, "repeats": torch.tensor([2, 0, 1])},
            [1.0, 1.0, 4.0],
        ),
        ("bucketize", {"right": True}, {"input": X, "boundaries": LOW}, [2, 0, 2]),
        ("searchsorted", {}, {"sorted_sequence": LOW, "input": X}, [1, 0, 2]),
        (
            "masked_scatter",
            {},
            {"input": X, "mask": X > 0, "source": torch.tensor([7.0, 8.0])},
            [7.0, -2.0, 8.0],
        ),
        (
            "div",
            {"rounding_mode": "trunc"},
            {"input": torch.tensor([-7, 7]), "other": torch.tensor([2, 2])},
            [-3, 3],
        ),
    ],
)
def test_values(
    op: str, arguments: dict[str, Any], inputs: dict[str, Any], wanted: list[float]
) -> None:
    assert run(op, arguments, inputs).tolist() == wanted


@pytest.mark.parametrize(
    ("op", "arguments", "ports", "message"),
    [
        ("clamp", {}, ["input"], "needs a min or a max"),
        ("clamp", {"min": 1}, ["input", "min"], "as an input and as an argument"),
        ("pow", {}, ["input"], "pow needs an exponent"),
        ("pow", {"exponent": 2}, ["input", "exponent"], "pow needs an exponent"),
        ("repeat_interleave", {}, ["input"], "needs repeats"),
        ("repeat_interleave", {}, ["input", "repeats"], "output_size goes with"),
        (
            "repeat_interleave",
            {"repeats": 2, "output_size": 2},
            ["input"],
            "output_size goes with",
        ),
    ],
)
def test_operands_that_are_refused(
    op: str, arguments: dict[str, Any], ports: list[str], message: str
) -> None:
    inputs = {
        port: tensor("int[T]" if port == "repeats" else "float[T]") for port in ports
    }
    with pytest.raises(OpError, match=message):
        infer(op, arguments, inputs)
