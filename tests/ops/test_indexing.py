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
from tests.ops.draws import KINDS, types
from tests.ops.harness import check, infer, run, tensor

AXES = st.integers(-4, 3)
PLACES = st.integers(-6, 6)
INPUTS = types(kinds=KINDS)


@each("slice")
@given(INPUTS, AXES, st.tuples(PLACES, PLACES, st.integers(-1, 3)), st.booleans())
def test_slice(
    op: str, input: TensorType, dim: int, places: tuple[int, int, int], stops: bool
) -> None:
    start, stop, step = places
    arguments = {"dim": dim, "start": start, "step": step}
    check(op, arguments | ({"stop": stop} if stops else {}), {"input": input})


@each("index")
@given(INPUTS, AXES, PLACES)
def test_index(op: str, input: TensorType, dim: int, index: int) -> None:
    check(op, {"dim": dim, "index": index}, {"input": input})


@each("flip")
@given(INPUTS, st.lists(AXES, max_size=3))
def test_flip(op: str, input: TensorType, dims: list[int]) -> None:
    check(op, {"dims": dims}, {"input": input})


@each("roll")
@given(INPUTS, st.lists(PLACES, min_size=1, max_size=2), st.lists(AXES, max_size=2))
def test_roll(op: str, input: TensorType, shifts: list[int], dims: list[int]) -> None:
    check(op, {"shifts": shifts, "dims": dims}, {"input": input}, device="cpu")
    check(op, {"shifts": shifts}, {"input": input}, device="cpu")


LINES = [
    ("roll", {"shifts": 1, "dims": 1}, "input.roll(1, dims=1)"),
    ("roll", {"shifts": [1, -2], "dims": [1, 2]}, "input.roll((1, -2), dims=(1, 2))"),
    ("slice", {"dim": 1, "start": 1}, "input[:, 1:]"),
    ("slice", {"dim": 0, "stop": -1}, "input[:-1]"),
    ("slice", {"dim": -1, "step": 2}, "input[..., ::2]"),
    ("slice", {"dim": -2, "start": 1, "stop": 3}, "input[..., 1:3, :]"),
    ("index", {"dim": 1, "index": 0}, "input[:, 0]"),
    ("index", {"dim": -1, "index": -1}, "input[..., -1]"),
    ("flip", {"dims": [1]}, "input.flip(1)"),
    ("flip", {"dims": 1}, "input.flip(1)"),
]


@pytest.mark.parametrize(("op", "arguments", "line"), LINES)
def test_code_reads_as_written_by_hand(op: str, arguments: Any, line: str) -> None:
    found = check(op, arguments, {"input": tensor("float[4, 5, 6]")})
    assert found.forward == [f"return {line}"]


def test_values() -> None:
    x = torch.randn(4, 5)
    found = run("slice", {"dim": 1, "start": -3, "stop": 4, "step": 2}, {"input": x})
    assert torch.equal(found, x[:, 2:4:2])


SYMBOLIC = [
    ("roll", {"shifts": "T // 2", "dims": 1}, "float[B, T, D]"),
    ("slice", {"dim": 1, "start": 1}, "float[B, T - 1, D]"),
    ("slice", {"dim": 1, "stop": -1}, "float[B, T - 1, D]"),
    ("slice", {"dim": 1, "start": -1}, "float[B, 1, D]"),
    ("slice", {"dim": 1, "step": 2}, "float[B, (T + 1) // 2, D]"),
    ("slice", {"dim": 1, "start": 1, "step": 2}, "float[B, T // 2, D]"),
    ("slice", {"dim": 1, "start": "T - 1"}, "float[B, 1, D]"),
    ("slice", {"dim": 1, "stop": "T // 2"}, "float[B, T // 2, D]"),
    ("slice", {"dim": -1, "start": "D // 2"}, "float[B, T, D - D // 2]"),
    ("index", {"dim": 1, "index": 0}, "float[B, D]"),
    ("index", {"dim": 1, "index": -1}, "float[B, D]"),
    ("index", {"dim": 1, "index": "T - 1"}, "float[B, D]"),
    ("flip", {"dims": 1}, "float[B, T, D]"),
]


@pytest.mark.parametrize(("op", "arguments", "output"), SYMBOLIC)
def test_symbols(op: str, arguments: Any, output: str) -> None:
    for length in (1, 2, 7):
        dims = {"B": 2, "T": length, "D": 4}
        inputs = {"input": tensor("float[B, T, D]")}
        found = check(op, arguments, inputs, dims=dims)
        assert found.outputs == (tensor(output),), found.refusal


@pytest.mark.parametrize(
    ("op", "arguments"),
    [
        ("slice", {"dim": 1, "start": 2}),
        ("slice", {"dim": 1, "stop": 2}),
        ("slice", {"dim": 1, "start": -2}),
        ("slice", {"dim": 1, "start": "T - 2"}),
        ("slice", {"dim": 1, "start": 1, "stop": "T // 2"}),
        ("index", {"dim": 1, "index": 1}),
        ("index", {"dim": 1, "index": "T"}),
        ("index", {"dim": 1, "index": "B"}),
    ],
)
def test_what_some_sizes_lack_is_refused(op: str, arguments: Any) -> None:
    with pytest.raises(OpError, match="for all input sizes"):
        infer(op, arguments, {"input": tensor("float[B, T, D]")})


def test_a_least_size_is_believed() -> None:
    with pytest.raises(OpError) as caught:
        infer("slice", {"dim": 1, "start": 2}, {"input": tensor("float[B, T]")})
    assert caught.value.message == "start needs T >= 2 for all input sizes"
    least = caught.value.conditions.least
    assert {str(symbol): size for symbol, size in least.items()} == {"T": 2}
    domain = Domain(of_networks({"T": Constraint(min=3)}))
    inputs = {"input": tensor("float[B, T]")}
    (found,) = infer("slice", {"dim": 1, "start": 2}, inputs, domain=domain)
    assert found == tensor("float[B, T - 2]")
