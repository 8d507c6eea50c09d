"""Upsampling, held against torch."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.symbolic.tensor import TensorType
from tests.ops.coverage import each
from tests.ops.draws import SELDOM, label, one_line, some, spread, type_of
from tests.ops.harness import check, infer, tensor

FACTORS = st.sampled_from((2, 0.5, 1.5, 0.7, 2.3, 3.0))
MODES = {
    1: ("nearest", "linear"),
    2: ("nearest", "bilinear", "bicubic"),
    3: ("nearest-exact", "trilinear"),
}


@st.composite
def sizes(draw: st.DrawFn, n: int) -> tuple[TensorType, dict[str, Any]]:
    """An image and either of size and scale_factor, seldom both or none."""
    arguments: dict[str, Any] = {}
    by_factor, confused = draw(st.booleans()), draw(SELDOM)
    if by_factor != confused:
        arguments["scale_factor"] = draw(spread(n, FACTORS))
    if not by_factor:
        arguments["size"] = draw(spread(n, st.integers(1, 9)))
    extents = draw(st.lists(st.integers(1, 9), min_size=n, max_size=n))
    return type_of(*(() if draw(SELDOM) else (2,)), 2, *extents), arguments


@each("upsample")
@given(st.data())
def test_upsample(op: str, data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 3))
    input, arguments = data.draw(sizes(n))
    arguments["mode"] = data.draw(st.sampled_from(MODES[n]))
    flags = {"recompute_scale_factor": st.booleans()}
    if "nearest" not in arguments["mode"] or data.draw(SELDOM):
        flags["align_corners"] = st.booleans()
    arguments |= data.draw(some(**flags))
    check(op, arguments, {"input": input}, device="cpu")


@each("upsampling_nearest2d", "upsampling_bilinear2d")
@given(drawn=sizes(2))
def test_upsampling(op: str, drawn: tuple[TensorType, dict[str, Any]]) -> None:
    input, arguments = drawn
    check(op, arguments, {"input": input}, device="cpu")


def test_symbols() -> None:
    inputs = {"input": tensor("float[B, C, H, W]")}
    (output,) = infer("upsampling_nearest2d", {"scale_factor": 2}, inputs)
    assert str(output) == "float[B, C, 2 * H, 2 * W]"
    (output,) = infer("upsample", {"size": ["X", "2 * W"]}, inputs)
    assert str(output) == "float[B, C, X, 2 * W]"


@pytest.mark.parametrize(
    ("op", "expected"),
    [
        ("upsample", ""),
        ("upsampling_nearest2d", ', mode="nearest"'),
        ("upsampling_bilinear2d", ', mode="bilinear", align_corners=True'),
    ],
)
def test_code(op: str, expected: str) -> None:
    input = type_of(1, 4, 3, 3)
    found = check(op, {"scale_factor": 2}, {"input": input})
    shown = f"return F.interpolate(input, scale_factor=2{expected})"
    assert one_line(found.forward) == shown


def test_label() -> None:
    shown = label(
        "upsampling_bilinear2d", {"scale_factor": 2}, input=type_of(1, 1, 4, 4)
    )
    assert shown == "×2, bilinear"
