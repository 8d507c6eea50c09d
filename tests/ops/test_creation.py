from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from compiler.op.errors import OpError
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType
from tests.ops.coverage import each
from tests.ops.draws import KINDS, shapes, types
from tests.ops.harness import check, infer, layer, tensor

VALUES = st.sampled_from([0, 1, -3, 0.5, 1.0, True, False])


@each("parameter")
@given(shapes(), st.floats(-2, 2) | st.integers(-2, 2))
def test_parameter(op: str, shape: list[int], value: float) -> None:
    check(op, {"shape": shape}, {})
    check(op, {"shape": shape, "value": value}, {})


@each("buffer")
@given(shapes(), st.floats(-2, 2) | st.integers(-2, 2))
def test_buffer(op: str, shape: list[int], value: float) -> None:
    check(op, {"shape": shape}, {})
    check(op, {"shape": shape, "value": value}, {})
    held = layer(op, {"shape": shape, "value": value}, {})
    assert not list(held.parameters()) and list(held.state_dict()) == ["layer"]
    assert torch.equal(held(), torch.full(shape, float(value)))


@each("constant")
@given(shapes(), VALUES)
def test_constant(op: str, shape: list[int], value: Any) -> None:
    check(op, {"shape": shape, "value": value}, {})
    check(op, {"value": value}, {})


NUMBERS = st.lists(st.integers(-3, 3) | st.sampled_from([0.5, -1.25]), min_size=1)


@each("constant", "buffer")
@given(NUMBERS, st.booleans())
def test_values(op: str, values: list[int | float], shaped: bool) -> None:
    arguments: dict[str, Any] = {"values": values}
    arguments |= {"shape": [len(values), 1]} if shaped else {}
    check(op, arguments, {})
    held = layer(op, arguments, {})
    wanted = torch.tensor(values)
    wanted = wanted.float() if op == "buffer" else wanted
    assert torch.equal(held(), wanted.view(len(values), 1) if shaped else wanted)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"value": 1, "values": [1]}, "needs either a value or values"),
        ({}, "needs either a value or values"),
        ({"values": [1, 2, 3], "shape": [2, 2]}, "3 values do not fill"),
    ],
)
def test_constants_that_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(OpError, match=message):
        infer("constant", arguments, {})


@each("tril_indices", "triu_indices")
@given(st.integers(1, 5), st.integers(1, 5), st.integers(-6, 6))
def test_triangle_indices(op: str, row: int, col: int, offset: int) -> None:
    check(op, {"row": row, "col": col, "offset": offset}, {})
    check(op, {"row": row, "col": row, "offset": offset}, {})


@pytest.mark.parametrize(
    ("op", "offset", "count"),
    [
        ("tril_indices", 0, "n * (n + 1) // 2"),
        ("tril_indices", -1, "n * (n - 1) // 2"),
        ("triu_indices", 0, "n * (n + 1) // 2"),
        ("triu_indices", 1, "n * (n - 1) // 2"),
        ("tril_indices", 1, "13"),
    ],
)
def test_triangle_indices_in_names(op: str, offset: int, count: str) -> None:
    """Of a square the number is a formula, where it holds for each side from 0 on."""
    arguments = {"row": "n", "col": "n", "offset": offset}
    (found,) = infer(op, arguments, {}, {"n": Dim.of(4)})
    assert str(found.shape[1]) == str(tensor(f"int[{count}]").shape[0])


@each("zeros_like", "ones_like")
@given(types(kinds=KINDS))
def test_like(op: str, input: TensorType) -> None:
    check(op, {}, {"input": input})


@each("full_like")
@given(types(kinds=KINDS), VALUES)
def test_full_like(op: str, input: TensorType, value: Any) -> None:
    if input.kind == "float" or isinstance(value, bool):
        check(op, {"fill_value": value}, {"input": input})


@each("detach")
@given(types(kinds=KINDS))
def test_detach(op: str, input: TensorType) -> None:
    check(op, {}, {"input": input})


def test_nothing_flows_back_through_detach() -> None:
    x = torch.ones(3, requires_grad=True)
    held = layer("detach", {}, {"input": tensor("float[3]")})(x)
    assert torch.equal(held, x) and not held.requires_grad


@each("identity")
@given(types(kinds=KINDS))
def test_identity(op: str, input: TensorType) -> None:
    check(op, {}, {"input": input})


def test_code_reads_as_written_by_hand() -> None:
    token = check("parameter", {"shape": [1, 1, 8]}, {})
    assert token.construct == "nn.Parameter(torch.zeros(1, 1, 8))"
    assert token.forward == ["return self.layer"]
    small = check("parameter", {"shape": 8, "value": 1e-6}, {})
    assert small.construct == "nn.Parameter(torch.full((8,), 1e-6))"
    ones = check("parameter", {"shape": 8, "value": 1}, {})
    assert ones.construct == "nn.Parameter(torch.ones(8))"
    bias = check("buffer", {"shape": [1, 8]}, {})
    assert bias.construct == "nn.Buffer(torch.zeros(1, 8))"
    assert bias.forward == ["return self.layer"]
    ones = check("constant", {"shape": [2], "value": 1.0}, {})
    assert ones.construct == "nn.Buffer(torch.full((2,), 1.0), persistent=False)"
    one = check("constant", {"value": 1}, {})
    assert one.construct == "nn.Buffer(torch.tensor(1), persistent=False)"
    same = check("identity", {}, {"input": tensor("float[2]")})
    assert (same.construct, same.forward) == ("", ["return input"])


def test_a_parameter_is_learned_and_a_constant_is_not() -> None:
    token = layer("parameter", {"shape": [2]}, {})
    assert [name for name, _ in token.named_parameters()] == ["layer"]
    ones = layer("constant", {"shape": [2], "value": 1.0}, {})
    assert torch.equal(ones(), torch.ones(2))
    assert not list(ones.parameters()) and not ones.state_dict()


def test_a_buffer_is_saved_and_loaded() -> None:
    saved, fresh = (layer("buffer", {"shape": [1, 3]}, {}) for _ in range(2))
    bias = torch.tensor([[1.5, -2.0, 0.25]])
    saved.get_buffer("layer").copy_(bias)
    fresh.load_state_dict(saved.state_dict())
    assert torch.equal(fresh(), bias) and not fresh().requires_grad
    assert fresh.double()().dtype == torch.float64


@pytest.mark.parametrize("op", ["parameter", "buffer"])
def test_names_of_the_scope_stay(op: str) -> None:
    found = infer(op, {"shape": [1, "width"]}, {}, {"width": Dim.of(8)})
    assert found == (tensor("float[1, width]"),)
