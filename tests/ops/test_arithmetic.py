from __future__ import annotations

import operator
from collections.abc import Callable
from functools import reduce
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from compiler.dims import Dim
from compiler.faults import Fault
from tests.ops.draws import alike, kinds, shapes, typed
from tests.ops.harness import check, infer, run, tensor

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "sub": torch.sub,
    "div": torch.div,
    "maximum": torch.maximum,
    "minimum": torch.minimum,
}
NUMBERS = st.sampled_from([-2, -1, 0, 1, 3, 0.5, 1.0, -1.5])


@given(st.data(), shapes(), st.sampled_from(["add", "mul"]))
def test_variadic(data: st.DataObject, shape: list[int], op: str) -> None:
    inputs = tuple(
        typed(data.draw(kinds), data.draw(alike(shape)))
        for _ in range(data.draw(st.integers(2, 4)))
    )
    combine = {"add": operator.add, "mul": operator.mul}[op]
    check(op, {}, {"inputs": inputs}, reference=lambda xs: reduce(combine, xs))


@given(st.data(), shapes(), st.sampled_from(sorted(FUNCTIONS)))
def test_pair(data: st.DataObject, shape: list[int], op: str) -> None:
    input, other = (typed(data.draw(kinds), data.draw(alike(shape))) for _ in "12")
    inputs = {"input": input, "other": other}
    check(op, {}, inputs, reference=FUNCTIONS[op])


@given(st.sampled_from(["float", "int"]), NUMBERS, NUMBERS)
def test_numbers(kind: Any, first: float, second: float) -> None:
    inputs = {"input": type_of(2, 3, kind=kind)}
    check("shift", {"value": first}, inputs, reference=lambda x: torch.add(x, first))
    check("rsub", {"value": first}, inputs, reference=lambda x: torch.rsub(x, first))
    check("scale", {"factor": first}, inputs, reference=lambda x: torch.mul(x, first))
    # The meta device takes integers to negative powers, which no other device does.
    check("pow", {"exponent": first}, inputs, device="cpu")
    check("scale", {"factor": first, "exponent": second}, inputs)


def test_scale_by_no_real_number() -> None:
    with pytest.raises(Fault, match=r"-2 \*\* 0.5 is no number"):
        infer("scale", {"factor": -2, "exponent": 0.5}, {"input": tensor("float[B]")})


def test_code_reads_as_written_by_hand() -> None:
    pair = {"input": tensor("float[2]"), "other": tensor("float[2]")}
    three = {"inputs": (tensor("float[2]"), tensor("float[2]"), tensor("float[2]"))}
    one = {"input": tensor("float[2]")}
    assert check("add", {}, three).forward == ["return inputs_0 + inputs_1 + inputs_2"]
    assert check("div", {}, pair).forward == ["return input / other"]
    assert check("maximum", {}, pair).forward == ["return torch.maximum(input, other)"]
    assert check("rsub", {}, one).forward == ["return 1 - input"]
    scale = check("scale", {"factor": 512, "exponent": 0.5}, one)
    assert scale.forward == ["return input * math.sqrt(512)"]


def test_values() -> None:
    x, y = torch.randn(2, 3), torch.randn(3)
    assert torch.equal(run("sub", {}, {"input": x, "other": y}), x - y)
    assert torch.equal(run("rsub", {}, {"input": x}), 1 - x)
    scaled = run("scale", {"factor": 9, "exponent": -0.5}, {"input": x})
    assert torch.allclose(scaled, x / 3)


def test_symbols_broadcast_against_themselves_and_one() -> None:
    inputs = (tensor("float[B, T, D]"), tensor("float[1, T, 1]"), tensor("float[D]"))
    assert infer("add", {}, {"inputs": inputs}) == (tensor("float[B, T, D]"),)


def test_names_of_the_scope_stay() -> None:
    inputs = (tensor("float[B, width]"), tensor("float[B, 4]"))
    hints = {"width": Dim.of(4)}
    assert infer("add", {}, {"inputs": inputs}, hints) == (tensor("float[B, width]"),)


def test_unknown_sizes_are_not_taken_for_equal() -> None:
    inputs = (tensor("float[B, H]"), tensor("float[B, (H + 1) // 2]"))
    with pytest.raises(Fault) as caught:
        infer("add", {}, {"inputs": inputs})
    assert caught.value.code == "shape-mismatch"


def test_one_input_is_too_few() -> None:
    with pytest.raises(Fault, match="two inputs or more"):
        infer("add", {}, {"inputs": (tensor("float[2]"),)})
