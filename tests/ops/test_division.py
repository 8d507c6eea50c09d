from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from compiler.op.errors import OpError
from compiler.symbolic.tensor import Kind
from tests.ops.coverage import each
from tests.ops.draws import alike, label, shapes, type_of
from tests.ops.harness import check, infer, run, tensor

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "floor_divide": torch.floor_divide,
    "remainder": torch.remainder,
    "fmod": torch.fmod,
}
NUMBERS: st.SearchStrategy[Kind] = st.sampled_from(["float", "int"])


@each(*FUNCTIONS)
@given(st.data(), shapes(), NUMBERS)
def test_pair(op: str, data: st.DataObject, shape: list[int], kind: Kind) -> None:
    input = type_of(*shape, kind=kind)
    other = type_of(*data.draw(alike(shape)), kind=data.draw(NUMBERS))
    check(op, {}, {"input": input, "other": other}, reference=FUNCTIONS[op])


@each(*FUNCTIONS)
@given(shapes(), NUMBERS, st.sampled_from([0, 1, -3, 0.5, 0.0]))
def test_value(op: str, shape: list[int], kind: Kind, value: float) -> None:
    inputs = {"input": type_of(*shape, kind=kind)}
    function = FUNCTIONS[op]
    check(
        op,
        {"value": value},
        inputs,
        reference=lambda x, _: function(x, value),
        device="cpu",
    )


def test_a_bool_is_no_divisor() -> None:
    with pytest.raises(OpError, match="value must be a number"):
        infer("remainder", {"value": True}, {"input": tensor("int[B]")})


def test_code_reads_as_written_by_hand() -> None:
    x = tensor("int[2]")
    pair = {"input": x, "other": x}
    assert check("floor_divide", {"value": 2}, {"input": x}).forward == [
        "return input // 2"
    ]
    assert check("remainder", {}, pair, device="meta").forward == [
        "return input % other"
    ]
    assert check("fmod", {}, pair).forward == ["return torch.fmod(input, other)"]


@pytest.mark.parametrize("op", FUNCTIONS)
def test_values(op: str) -> None:
    x = torch.tensor([-7, 7, 8])
    found = run(op, {"value": 3}, {"input": x, "other": None})
    assert torch.equal(found, FUNCTIONS[op](x, 3))


def test_symbols() -> None:
    pair = {"input": tensor("int[B, T, 1]"), "other": tensor("int[S]")}
    assert infer("remainder", {}, pair) == (tensor("int[B, T, S]"),)


def test_labels() -> None:
    x = type_of(2, kind="int")
    assert label("remainder", {"value": 2}, input=x, other=None) == "% 2"
    assert label("fmod", {"value": 2}, input=x, other=None) == "by 2"
