from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from compiler.symbolic.tensor import TensorType
from tests.ops.coverage import each
from tests.ops.draws import KINDS, label, type_of, types
from tests.ops.harness import check, infer, run, tensor

COUNTS = st.lists(st.integers(0, 3), max_size=4)


@each("repeat", "tile")
@given(types(0, 3, kinds=KINDS), COUNTS | st.lists(st.integers(-1, 3), max_size=4))
def test_tiled(op: str, input: TensorType, counts: list[int]) -> None:
    argument = {"repeat": "repeats", "tile": "dims"}[op]
    check(op, {argument: counts}, {"input": input})


@each("repeat_interleave")
@given(types(1, 4, kinds=KINDS), st.integers(-1, 3), st.integers(-4, 3))
def test_repeat_interleave(op: str, input: TensorType, repeats: int, dim: int) -> None:
    check(op, {"repeats": repeats, "dim": dim}, {"input": input}, device="cpu")
    check(op, {"repeats": repeats}, {"input": input}, device="cpu")


LINES = [
    ("repeat", {"repeats": [2, 1]}, "input.repeat(2, 1)"),
    ("tile", {"dims": 3}, "input.tile(3)"),
    (
        "repeat_interleave",
        {"repeats": 2, "dim": 1},
        "input.repeat_interleave(2, dim=1)",
    ),
]


@pytest.mark.parametrize(("op", "arguments", "line"), LINES)
def test_code_reads_as_written_by_hand(op: str, arguments: Any, line: str) -> None:
    found = check(op, arguments, {"input": tensor("float[4, 5]")})
    assert found.forward == [f"return {line}"]


def test_values() -> None:
    x = torch.tensor([1, 2])
    assert run("repeat", {"repeats": 2}, {"input": x}).tolist() == [1, 2, 1, 2]
    assert run("tile", {"dims": [1, 2]}, {"input": x}).tolist() == [[1, 2, 1, 2]]
    found = run("repeat_interleave", {"repeats": 2, "dim": 0}, {"input": x})
    assert found.tolist() == [1, 1, 2, 2]


SYMBOLIC = [
    ("repeat", {"repeats": ["B", 1, 2]}, "float[B * B, T, 2 * D]"),
    ("tile", {"dims": ["T", 1]}, "float[B, T * T, D]"),
    ("repeat_interleave", {"repeats": 3, "dim": -2}, "float[B, 3 * T, D]"),
    ("repeat_interleave", {"repeats": 3}, "float[3 * B * T * D]"),
]


@pytest.mark.parametrize(("op", "arguments", "output"), SYMBOLIC)
def test_symbols(op: str, arguments: Any, output: str) -> None:
    inputs = {"input": tensor("float[B, T, D]")}
    dims = {"B": 2, "T": 3, "D": 4}
    found = check(op, arguments, inputs, dims=dims, device="cpu")
    assert found.outputs == (tensor(output),), found.refusal
    assert infer(op, arguments, inputs) == found.outputs


def test_labels() -> None:
    assert label("repeat", {"repeats": [2, 1]}, input=type_of(3)) == "[2, 1]"
    assert label("tile", {"dims": 2}, input=type_of(3)) == "[2]"
    assert label("repeat_interleave", {"repeats": 2}, input=type_of(3)) == "all × 2"
    arguments = {"repeats": 2, "dim": 0}
    assert label("repeat_interleave", arguments, input=type_of(3)) == "dim 0 × 2"
