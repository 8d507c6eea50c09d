"""Comparisons, what follows from them, and the choice between two tensors."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from functools import reduce
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from compiler.op.errors import OpError
from compiler.symbolic.tensor import TensorType
from tests.ops.coverage import each
from tests.ops.draws import KINDS, alike, label, shapes, type_of, types
from tests.ops.harness import check, infer, run, tensor

COMPARISONS: dict[str, Callable[..., Any]] = {
    "eq": torch.eq,
    "ne": torch.ne,
    "lt": torch.lt,
    "le": torch.le,
    "gt": torch.gt,
    "ge": torch.ge,
}
LOGICAL: dict[str, Callable[..., Any]] = {
    "logical_and": torch.logical_and,
    "logical_or": torch.logical_or,
    "logical_xor": torch.logical_xor,
}
VALUES = st.sampled_from([0, 1, -3, 0.5, math.inf, math.nan, True, False])


@each(*COMPARISONS)
@given(st.data(), shapes(), KINDS)
def test_comparison(op: str, data: st.DataObject, shape: list[int], kind: Any) -> None:
    input = type_of(*shape, kind=kind)
    other = type_of(*data.draw(alike(shape)), kind=data.draw(KINDS))
    check(op, {}, {"input": input, "other": other}, reference=COMPARISONS[op])
    value = data.draw(VALUES)
    check(
        op,
        {"value": value},
        {"input": input},
        reference=lambda x, _: COMPARISONS[op](x, value),
    )


@each(*LOGICAL)
@given(st.data(), shapes())
def test_logical(op: str, data: st.DataObject, shape: list[int]) -> None:
    inputs = tuple(
        type_of(*data.draw(alike(shape)), kind="bool")
        for _ in range(data.draw(st.integers(2, 4)))
    )
    check(op, {}, {"inputs": inputs}, reference=lambda xs: reduce(LOGICAL[op], xs))


@each("where")
@given(st.data(), shapes(), KINDS, VALUES)
def test_where(
    op: str, data: st.DataObject, shape: list[int], kind: Any, value: Any
) -> None:
    condition = type_of(*data.draw(alike(shape)), kind="bool")
    input = type_of(*shape, kind=kind)
    other = type_of(*data.draw(alike(shape)), kind=data.draw(KINDS))
    inputs = {"condition": condition, "input": input}
    check(op, {}, inputs | {"other": other}, reference=torch.where)
    check(
        op, {"value": value}, inputs, reference=lambda c, x, _: torch.where(c, x, value)
    )


@each("isnan", "isinf", "isfinite")
@given(types(kinds=KINDS))
def test_question(op: str, input: TensorType) -> None:
    check(op, {}, {"input": input}, reference=getattr(torch, op))


@pytest.mark.parametrize("op", [*COMPARISONS, "where"])
def test_a_second_operand_is_needed_and_no_third(op: str) -> None:
    inputs = {"input": tensor("float[B]"), "condition": tensor("bool[B]")}
    if op != "where":
        del inputs["condition"]
    with pytest.raises(OpError, match="needs either a second input or a value"):
        infer(op, {}, inputs)
    inputs["other"] = tensor("float[B]")
    with pytest.raises(OpError, match="needs either a second input or a value"):
        infer(op, {"value": 1}, inputs)


def test_code_reads_as_written_by_hand() -> None:
    x, mask = tensor("float[2]"), tensor("bool[2]")
    assert check("eq", {"value": 0}, {"input": x}).forward == ["return input == 0"]
    pair = {"input": x, "other": x}
    assert check("ge", {}, pair).forward == ["return input >= other"]
    three = check("logical_and", {}, {"inputs": (mask, mask, mask)})
    assert three.forward == ["return inputs_0 & inputs_1 & inputs_2"]
    chosen = {"condition": mask, "input": x}
    assert check("where", {"value": -math.inf}, chosen).forward == [
        'return torch.where(condition, input, float("-inf"))'
    ]
    assert check("where", {}, chosen | {"other": x}).forward == [
        "return torch.where(condition, input, other)"
    ]


@pytest.mark.parametrize("op", COMPARISONS)
def test_values(op: str) -> None:
    x, y = torch.arange(4), torch.tensor([0, 3, 2, 1])
    compare = getattr(operator, op)
    assert torch.equal(run(op, {}, {"input": x, "other": y}), compare(x, y))
    assert torch.equal(
        run(op, {"value": 2}, {"input": x, "other": None}), compare(x, 2)
    )


def test_symbols() -> None:
    pair = {"input": tensor("int[B, T, 1]"), "other": tensor("int[B, 1, S]")}
    assert infer("lt", {}, pair) == (tensor("bool[B, T, S]"),)
    inputs = {"condition": tensor("bool[T, S]"), **pair}
    assert infer("where", {}, inputs) == (tensor("int[B, T, S]"),)
    inputs = {"condition": tensor("bool[A, 1, 1]"), **pair}
    with pytest.raises(OpError, match="where needs shapes that broadcast"):
        infer("where", {}, inputs)


def test_labels() -> None:
    assert label("gt", {"value": 0.5}, input=type_of(2), other=None) == "> 0.5"
    x = type_of(2)
    assert label("gt", {}, input=x, other=x) == ""
