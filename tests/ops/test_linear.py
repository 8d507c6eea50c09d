"""Affine maps of features, held against torch."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.op.errors import OpError
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType
from tests.ops.coverage import each
from tests.ops.draws import KINDS, SIZES, alike, label, shapes, some, type_of, types
from tests.ops.harness import check, infer, tensor


@each("linear")
@given(types(kinds=KINDS), SIZES, some(bias=st.booleans()))
def test_linear(
    op: str, input: TensorType, width: int, arguments: dict[str, Any]
) -> None:
    check(op, {"out_features": width, **arguments}, {"input": input})


@each("bilinear")
@given(st.data(), shapes(0, 2), SIZES, some(bias=st.booleans()))
def test_bilinear(
    op: str, data: st.DataObject, batch: list[int], width: int, arguments: Any
) -> None:
    inputs = {
        port: type_of(*data.draw(alike(batch)), data.draw(SIZES))
        for port in ("input1", "input2")
    }
    check(op, {"out_features": width, **arguments}, inputs)


def test_symbols() -> None:
    inputs = {"input": tensor("float[B, T, D]")}
    (output,) = infer("linear", {"out_features": "4 * D"}, inputs, {"D": Dim.of(8)})
    assert str(output) == "float[B, T, 4 * D]"


def test_numbers_have_a_dimension() -> None:
    with pytest.raises(OpError, match="needs at least 1 dimension") as caught:
        infer("linear", {"out_features": 3}, {"input": tensor("float[]")})
    assert caught.value.code == "rank-mismatch"


def test_code() -> None:
    given = {"out_features": 5, "bias": False}
    found = check("linear", given, {"input": type_of(2, 3)})
    assert found.construct == "nn.Linear(3, 5, bias=False)"
    assert found.forward == ["return self.layer(input)"]


def test_label() -> None:
    assert label("linear", {"out_features": 5}, input=type_of(2, 3)) == "3 → 5"
