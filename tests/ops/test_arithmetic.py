from __future__ import annotations

import operator
from collections.abc import Callable
from functools import reduce
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from compiler.op.errors import OpError
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import Kind, TensorType
from tests.ops.coverage import each
from tests.ops.draws import KINDS, alike, shapes, type_of, types
from tests.ops.harness import check, infer, run, tensor

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "sub": torch.sub,
    "div": torch.div,
    "maximum": torch.maximum,
    "minimum": torch.minimum,
    "atan2": torch.atan2,
    "logaddexp": torch.logaddexp,
}
WITH_A_NUMBER: dict[str, tuple[str, Callable[..., Any]]] = {
    "shift": ("value", torch.add),
    "rsub": ("value", torch.rsub),
    "scale": ("factor", torch.mul),
    "pow": ("exponent", torch.pow),
}
NUMBERS = st.sampled_from([-2, -1, 0, 1, 3, 0.5, 1.0, -1.5])


@each("add", "mul")
@given(st.data(), shapes())
def test_variadic(op: str, data: st.DataObject, shape: list[int]) -> None:
    inputs = tuple(
        type_of(*data.draw(alike(shape)), kind=data.draw(KINDS))
        for _ in range(data.draw(st.integers(2, 4)))
    )
    combine = {"add": operator.add, "mul": operator.mul}[op]
    check(op, {}, {"inputs": inputs}, reference=lambda xs: reduce(combine, xs))


@each(*FUNCTIONS)
@given(st.data(), shapes())
def test_pair(op: str, data: st.DataObject, shape: list[int]) -> None:
    inputs = {
        port: type_of(*data.draw(alike(shape)), kind=data.draw(KINDS))
        for port in ("input", "other")
    }
    check(op, {}, inputs, reference=FUNCTIONS[op])


@each(*WITH_A_NUMBER)
@given(types(0, 3, kinds=KINDS.filter(lambda kind: kind != "bool")), NUMBERS)
def test_number(op: str, input: TensorType, number: float) -> None:
    argument, function = WITH_A_NUMBER[op]
    # The meta device takes integers to negative powers, which no other device does.
    check(
        op,
        {argument: number},
        {"input": input},
        reference=lambda x, *_: function(x, number),
        device="cpu",
    )


@each("lerp")
@given(st.data(), shapes(), NUMBERS)
def test_lerp(op: str, data: st.DataObject, shape: list[int], weight: float) -> None:
    inputs = {"input": type_of(*data.draw(alike(shape))), "end": type_of(*shape)}
    check(op, {"weight": weight}, inputs)


@given(types(0, 3), NUMBERS, NUMBERS)
def test_scale_by_a_power(input: TensorType, factor: float, exponent: float) -> None:
    check("scale", {"factor": factor, "exponent": exponent}, {"input": input})


def test_scale_by_no_real_number() -> None:
    with pytest.raises(OpError, match=r"-2 \*\* 0.5 is not a finite real number"):
        infer("scale", {"factor": -2, "exponent": 0.5}, {"input": tensor("float[B]")})


def test_code_reads_as_written_by_hand() -> None:
    pair = {"input": tensor("float[2]"), "other": tensor("float[2]")}
    three = {"inputs": (tensor("float[2]"), tensor("float[2]"), tensor("float[2]"))}
    one = {"input": tensor("float[2]")}
    assert check("add", {}, three).forward == ["return inputs_0 + inputs_1 + inputs_2"]
    assert check("div", {}, pair).forward == ["return input / other"]
    assert check("maximum", {}, pair).forward == ["return torch.maximum(input, other)"]
    assert check("rsub", {}, one).forward == ["return 1 - input"]
    lerp = check("lerp", {"weight": 0.5}, {"input": one["input"], "end": one["input"]})
    assert lerp.forward == ["return torch.lerp(input, end, 0.5)"]
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
    with pytest.raises(OpError) as caught:
        infer("add", {}, {"inputs": inputs})
    assert caught.value.code == "shape-mismatch"


def test_one_input_is_too_few() -> None:
    with pytest.raises(OpError, match="at least two inputs"):
        infer("add", {}, {"inputs": (tensor("float[2]"),)})


def test_long_sums_become_several_lines() -> None:
    tensors = tuple(torch.randn(3) for _ in range(200))
    total = run("add", {}, {"inputs": tensors})
    assert torch.allclose(total, torch.stack(tensors).sum(0), atol=1e-4)


@pytest.mark.parametrize(
    "kinds", [("bool", "float"), ("int", "bool"), ("bool", "bool")]
)
def test_sub_takes_no_bools(kinds: tuple[Kind, Kind]) -> None:
    left, right = (type_of(3, kind=kind) for kind in kinds)
    found = check("sub", {}, {"input": left, "other": right}, device="cpu")
    assert found.refusal is not None
    assert found.refusal.code == "kind-mismatch"
