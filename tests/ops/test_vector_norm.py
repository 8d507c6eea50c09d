"""Lengths of vectors and distances between them."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from compiler.op.errors import OpError
from compiler.symbolic.tensor import TensorType
from tests.ops.coverage import each
from tests.ops.draws import alike, label, one_line, shapes, some, type_of, types
from tests.ops.harness import check, infer, run, tensor

ORDERS = st.sampled_from([0.0, 1.0, 2.0, 3.0, math.inf, -math.inf, -1.0])
AXES = st.integers(-4, 3)


@each("vector_norm")
@given(
    types(),
    some(ord=ORDERS, keepdim=st.booleans(), dim=AXES | st.lists(AXES, max_size=2)),
)
def test_vector_norm(op: str, input: TensorType, arguments: dict[str, Any]) -> None:
    # The meta device takes a dimension of size 1 twice.
    check(op, arguments, {"input": input}, device="cpu")


@each("normalize")
@given(types(), some(p=ORDERS, dim=AXES, eps=st.floats(0, 1)))
def test_normalize(op: str, input: TensorType, arguments: dict[str, Any]) -> None:
    check(op, arguments, {"input": input})


@each("cdist")
@given(st.data(), shapes(1, 4), some(p=ORDERS))
def test_cdist(
    op: str, data: st.DataObject, shape: list[int], arguments: dict[str, Any]
) -> None:
    other = data.draw(alike(shape))
    if len(other) > 1:
        other[-2] = data.draw(st.integers(1, 5))
    check(op, arguments, {"x1": type_of(*shape), "x2": type_of(*other)}, device="cpu")


@pytest.mark.parametrize("order", [2.0, 0.0, math.inf, -1.0])
def test_nothing_to_reduce(order: float) -> None:
    inputs = {"input": type_of(2, 0)}
    check("vector_norm", {"ord": order, "dim": 1}, inputs, device="cpu")
    check("normalize", {"p": order, "dim": 1}, inputs, device="cpu")


def test_code_reads_as_written_by_hand() -> None:
    x = tensor("float[2, 3]")
    norm = check("vector_norm", {"ord": 1.0, "dim": -1}, {"input": x})
    assert norm.forward == ["return torch.linalg.vector_norm(input, dim=-1, ord=1.0)"]
    unit = check("normalize", {"dim": -1}, {"input": x})
    assert unit.forward == ["return F.normalize(input, dim=-1)"]
    far = check("cdist", {}, {"x1": x, "x2": x})
    assert one_line(far.forward) == (
        'return torch.cdist(x1, x2, compute_mode="donot_use_mm_for_euclid_dist")'
    )
    near = check("cdist", {"p": 1.0}, {"x1": x, "x2": x})
    assert near.forward == ["return torch.cdist(x1, x2, p=1.0)"]


def test_values() -> None:
    x, y = torch.randn(3, 4), torch.randn(5, 4)
    found = run("vector_norm", {"dim": 1}, {"input": x})
    assert torch.allclose(found, x.square().sum(1).sqrt())
    unit = run("normalize", {}, {"input": x})
    assert torch.allclose(unit, x / found[:, None])
    far = run("cdist", {}, {"x1": x, "x2": y})
    assert torch.allclose(far, (x[:, None] - y).square().sum(-1).sqrt(), atol=1e-5)


def test_symbols() -> None:
    x = tensor("float[B, T, D]")
    assert infer("vector_norm", {"dim": -1}, {"input": x}) == (tensor("float[B, T]"),)
    inputs = {"x1": x, "x2": tensor("float[S, D]")}
    assert infer("cdist", {}, inputs) == (tensor("float[B, T, S]"),)
    with pytest.raises(OpError, match="vectors of the same size"):
        infer("cdist", {}, inputs | {"x2": tensor("float[S, E]")})


def test_labels() -> None:
    assert label("normalize", {}, input=type_of(2, 3)) == "dim 1"
    assert label("vector_norm", {"dim": 1}, input=type_of(2, 3)) == "dim 1"
