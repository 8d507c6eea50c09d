"""Similarities and distances, held against torch."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.op.errors import OpError
from tests.ops.coverage import each
from tests.ops.draws import alike, shapes, some, type_of
from tests.ops.harness import check, infer, tensor


@st.composite
def pairs(draw: st.DrawFn) -> dict[str, Any]:
    shape = draw(shapes(1, 4))
    return {"x1": type_of(*shape), "x2": type_of(*draw(alike(shape)))}


@each("cosine_similarity")
@given(pairs(), some(dim=st.integers(-4, 3), eps=st.just(1e-6)))
def test_cosine(op: str, inputs: dict[str, Any], arguments: dict[str, Any]) -> None:
    check(op, arguments, inputs)


@each("pairwise_distance")
@given(
    pairs(),
    some(p=st.sampled_from((1, 2.0, 3)), eps=st.just(1e-3), keepdim=st.booleans()),
)
def test_distance(op: str, inputs: dict[str, Any], arguments: dict[str, Any]) -> None:
    check(op, arguments, inputs)


def test_symbols() -> None:
    inputs = {"x1": tensor("float[B, T, D]"), "x2": tensor("float[T, D]")}
    (output,) = infer("cosine_similarity", {"dim": -1}, inputs)
    assert str(output) == "float[B, T]"
    (output,) = infer("pairwise_distance", {"keepdim": True}, inputs)
    assert str(output) == "float[B, T, 1]"
    inputs["x2"] = tensor("float[T, E]")
    with pytest.raises(OpError, match="needs shapes that broadcast"):
        infer("pairwise_distance", {}, inputs)


def test_code() -> None:
    inputs = {"x1": type_of(2, 3), "x2": type_of(2, 3)}
    found = check("cosine_similarity", {"dim": -1}, inputs)
    assert found.forward == ["return F.cosine_similarity(x1, x2, dim=-1)"]
    found = check("pairwise_distance", {}, inputs)
    assert found.forward == ["return F.pairwise_distance(x1, x2)"]
