"""Activations and other functions of elements, held against torch."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from compiler.op.errors import OpError
from compiler.op.registry import ops
from compiler.symbolic.tensor import TensorType
from tests.ops.coverage import each
from tests.ops.draws import KINDS, label, some, type_of, types
from tests.ops.harness import check, infer, run, tensor

EVEN = st.sampled_from((2, 4))
NUMBERS = st.floats(-2, 2)
ARGUMENTS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "relu": {},
    "relu6": {},
    "leaky_relu": {"negative_slope": NUMBERS},
    "rrelu": {"lower": NUMBERS, "upper": NUMBERS},
    "elu": {"alpha": NUMBERS},
    "selu": {},
    "celu": {"alpha": st.sampled_from((-1.0, 0.0, 0.5))},
    "gelu": {"approximate": st.sampled_from(("none", "tanh"))},
    "silu": {},
    "mish": {},
    "softplus": {"beta": NUMBERS, "threshold": NUMBERS},
    "softsign": {},
    "softshrink": {"lambd": NUMBERS},
    "hardshrink": {"lambd": NUMBERS},
    "tanhshrink": {},
    "hardtanh": {"min_val": st.floats(-2, -1), "max_val": st.floats(-0.9, 2)},
    "hardsigmoid": {},
    "hardswish": {},
    "sigmoid": {},
    "logsigmoid": {},
    "tanh": {},
    "softmax2d": {},
    "glu": {"dim": st.integers(-4, 3)},
}
TO_FLOAT = [
    "exp",
    "expm1",
    "log",
    "log1p",
    "sqrt",
    "rsqrt",
    "reciprocal",
    "sin",
    "cos",
    "tan",
    "erf",
    "erfc",
    "erfinv",
    "exp2",
    "log2",
    "log10",
    "asin",
    "acos",
    "atan",
    "sinh",
    "cosh",
    "asinh",
    "acosh",
    "atanh",
    "sinc",
]
EXACT = ["abs", "neg", "sign", "square", "floor", "ceil", "trunc", "round"]


@each(*ARGUMENTS)
@given(st.data())
def test_activation(op: str, data: st.DataObject) -> None:
    arguments = data.draw(some(**ARGUMENTS[op]))
    input = data.draw(types(0, 4) | types(0, 4, EVEN, KINDS))
    check(op, arguments, {"input": input}, device="cpu")


@each("softmax", "log_softmax", "softmin", "gumbel_softmax")
@given(input=types(0, 4), dim=st.integers(-5, 4))
def test_softmax(op: str, input: TensorType, dim: int) -> None:
    check(op, {"dim": dim}, {"input": input}, device="cpu")


@each("prelu")
@given(input=types(0, 4), parameters=st.integers(1, 3))
def test_prelu(op: str, input: TensorType, parameters: int) -> None:
    given = {"num_parameters": parameters}
    check(op, given, {"input": input}, device="cpu")


@each("threshold")
@given(input=types(0, 3, kinds=KINDS), threshold=NUMBERS, value=NUMBERS)
def test_threshold(op: str, input: TensorType, threshold: float, value: float) -> None:
    given = {"threshold": threshold, "value": value}
    check(op, given, {"input": input}, device="cpu")


@each("nan_to_num")
@given(types(), some(nan=NUMBERS, posinf=NUMBERS, neginf=NUMBERS))
def test_nan_to_num(op: str, input: TensorType, arguments: dict[str, Any]) -> None:
    check(op, arguments, {"input": input})


@each(*TO_FLOAT, *EXACT)
@given(types(0, 4, kinds=KINDS))
def test_pointwise(op: str, input: TensorType) -> None:
    check(op, {}, {"input": input}, device="cpu")


@each("clamp")
@given(input=types(0, 3), arguments=some(min=NUMBERS, max=NUMBERS))
def test_clamp(op: str, input: TensorType, arguments: dict[str, Any]) -> None:
    check(op, arguments, {"input": input}, device="cpu")


@pytest.mark.parametrize("op", [*TO_FLOAT, *EXACT])
def test_pointwise_values(op: str) -> None:
    x = torch.tensor([0.25, 0.5, 1.5])
    expected = getattr(torch, op)(x)
    torch.testing.assert_close(run(op, {}, {"input": x}), expected, equal_nan=True)


@pytest.mark.parametrize(
    ("op", "arguments", "function"),
    [
        ("gelu", {"approximate": "tanh"}, lambda x: F.gelu(x, approximate="tanh")),
        ("softplus", {"beta": 2.0}, lambda x: F.softplus(x, beta=2.0)),
        ("softmax", {"dim": 0}, lambda x: x.exp() / x.exp().sum()),
        ("threshold", {"threshold": 1.0, "value": 9.0}, lambda x: F.threshold(x, 1, 9)),
        ("silu", {}, lambda x: x * x.sigmoid()),
    ],
)
def test_values(op: str, arguments: dict[str, Any], function: Any) -> None:
    x: Tensor = torch.linspace(-2, 2, 9)
    torch.testing.assert_close(run(op, arguments, {"input": x}), function(x))


@pytest.mark.parametrize("bounds", [(0.5, 0.5), (0.5, 0.2)])
def test_hardtanh_wants_its_bounds_in_order(bounds: tuple[float, float]) -> None:
    """nn.Hardtanh refuses equal bounds, F.hardtanh does not: the module decides."""
    arguments = dict(zip(("min_val", "max_val"), bounds, strict=True))
    found = check(
        "hardtanh",
        arguments,
        {"input": type_of(2)},
        reference=lambda x: torch.nn.Hardtanh(*bounds)(x),
    )
    assert isinstance(found.refusal, OpError) and found.refusal.argument == "min_val"


def test_glu_halves_a_symbol() -> None:
    (output,) = infer("glu", {}, {"input": tensor("float[B, T, 2 * D]")})
    assert str(output) == "float[B, T, D]"
    with pytest.raises(OpError, match="must be a multiple of 2"):
        infer("glu", {}, {"input": tensor("float[B, T, D]")})


def test_softmax_wants_its_dim() -> None:
    found = check("softmax", {}, {"input": type_of(2, 3)}, reference=refuse)
    assert found.refusal is not None and found.refusal.code == "missing-argument"


def refuse(*_: Any) -> None:
    """Stands for torch, which only warns."""
    raise TypeError


@pytest.mark.parametrize(
    ("op", "arguments", "expected"),
    [
        ("relu", {}, "F.relu(input)"),
        ("gelu", {"approximate": "tanh"}, 'F.gelu(input, approximate="tanh")'),
        ("sigmoid", {}, "torch.sigmoid(input)"),
        ("softmax", {"dim": -1}, "F.softmax(input, dim=-1)"),
        ("exp", {}, "torch.exp(input)"),
    ],
)
def test_code(op: str, arguments: dict[str, Any], expected: str) -> None:
    found = check(op, arguments, {"input": type_of(2, 3)})
    assert found.forward == [f"return {expected}"]


def test_label() -> None:
    assert label("softmax", {"dim": -1}, input=type_of(2)) == "dim -1"
    assert {ops()[op].family for op in ("relu", "softmax", "glu")} == {"activation"}
