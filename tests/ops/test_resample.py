"""Resampling, held against torch."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from compiler.op.errors import OpError
from compiler.symbolic.dims import Dim
from compiler.symbolic.domain import Constraint, Domain
from compiler.symbolic.symbols import of_networks
from compiler.symbolic.tensor import TensorType
from tests.ops.coverage import each
from tests.ops.draws import (
    KINDS,
    SELDOM,
    images,
    label,
    one_line,
    some,
    spread,
    type_of,
    types,
)
from tests.ops.harness import check, infer, run, tensor

OF_ANY_RANK = ("nearest", "nearest-exact", "area")
MODES = {1: ("linear",), 2: ("bilinear", "bicubic"), 3: ("trilinear",)}
FACTORS = st.sampled_from((2, 0.5, 1.5, 0.7, 1 / 3, 2.3, 3.0))


@st.composite
def interpolations(draw: st.DrawFn) -> tuple[TensorType, dict[str, Any]]:
    """Mostly right: either of size and scale_factor, and a mode that there is."""
    n = draw(st.integers(1, 3))
    modes = MODES[n % 3 + 1 if draw(SELDOM) else n]
    arguments: dict[str, Any] = {"mode": draw(st.sampled_from(modes + OF_ANY_RANK))}
    by_factor, confused = draw(st.booleans()), draw(SELDOM)
    if by_factor or confused:
        arguments["scale_factor"] = draw(spread(n, FACTORS))
    if not by_factor:
        arguments["size"] = draw(spread(n, st.integers(1, 9)))
    if arguments["mode"] in modes or draw(SELDOM):
        arguments |= draw(some(align_corners=st.booleans()))
    arguments |= {"antialias": True} if draw(SELDOM) else {}
    arguments |= {"recompute_scale_factor": True} if draw(SELDOM) else {}
    batch = () if draw(SELDOM) else (2,)
    # To no pixels at all, torch resizes in the mode area alone.
    least = 4 if arguments["mode"] == "area" else 1
    sizes = draw(st.lists(st.integers(least, 12), min_size=n, max_size=n))
    return type_of(*batch, 2, *sizes), arguments


@each("interpolate")
@given(interpolations())
def test_interpolate(op: str, drawn: tuple[TensorType, dict[str, Any]]) -> None:
    input, arguments = drawn
    check(op, arguments, {"input": input}, device="cpu")


@given(size=st.integers(1, 2000), factor=FACTORS)
def test_scale_factor_rounds_as_torch_does(size: int, factor: float) -> None:
    inputs = {"input": type_of(1, 1, size)}
    check("interpolate", {"scale_factor": factor}, inputs)


@given(size=st.integers(3, 500), factor=st.sampled_from((2, 1.5, 0.5, 0.375, 4.0)))
def test_scale_factor_of_a_symbol(size: int, factor: float) -> None:
    found = check(
        "interpolate",
        {"scale_factor": factor},
        {"input": tensor("float[1, 1, L]")},
        dims={"L": size},
        domain=Domain(of_networks({"L": Constraint(3)})),
    )
    assert found.refusal is None


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"scale_factor": 2}, "2 * H, 2 * W"),
        ({"scale_factor": [1, 1.5]}, "H, W + W // 2"),
        ({"size": ["X", "Y"]}, "X, Y"),
        ({"size": "2 * X"}, "2 * X, 2 * X"),
    ],
)
def test_symbolic_sizes(arguments: dict[str, Any], expected: str) -> None:
    inputs = {"input": tensor("float[B, C, H, W]")}
    (output,) = infer("interpolate", {**arguments, "mode": "bilinear"}, inputs)
    assert str(output) == f"float[B, C, {expected}]"


def test_rounding_of_a_symbol_is_not_decided() -> None:
    inputs = {"input": tensor("float[B, C, L]")}
    with pytest.raises(OpError, match="depends on floating-point rounding") as caught:
        infer("interpolate", {"scale_factor": 0.7}, inputs)
    assert caught.value.argument == "scale_factor"


@each("pixel_shuffle", "pixel_unshuffle")
@given(st.data())
def test_pixels(op: str, data: st.DataObject) -> None:
    sizes = st.sampled_from((1, 2, 4, 6, 9, 12))
    input = data.draw(types(2, 5, sizes, kinds=KINDS))
    key = "upscale_factor" if op == "pixel_shuffle" else "downscale_factor"
    check(op, {key: data.draw(st.integers(1, 3))}, {"input": input}, device="cpu")


@each("channel_shuffle")
@given(input=images(2, st.integers(1, 6), most=3), groups=st.integers(1, 3))
def test_channel_shuffle(op: str, input: TensorType, groups: int) -> None:
    if input.rank == 3:
        input = input.with_shape(*input.shape, 1)
    check(op, {"groups": groups}, {"input": input}, device="cpu")


def test_pixels_of_symbols() -> None:
    arguments = {"upscale_factor": "r"}
    inputs = {"input": tensor("float[B, 4 * C, H, W]")}
    (output,) = infer("pixel_shuffle", {"upscale_factor": 2}, inputs)
    assert str(output) == "float[B, C, 2 * H, 2 * W]"
    inputs = {"input": tensor("float[B, C * r * r, H, W]")}
    (output,) = infer("pixel_shuffle", arguments, inputs, {"r": Dim.of(3)})
    assert str(output) == "float[B, C, H * r, W * r]"
    with pytest.raises(OpError, match="the height must be a multiple"):
        infer("pixel_unshuffle", {"downscale_factor": 2}, inputs, {"r": Dim.of(3)})


def test_code_and_values() -> None:
    x = torch.rand(1, 4, 3, 3)
    arguments = {"scale_factor": 2, "mode": "bilinear", "align_corners": False}
    found = check("interpolate", arguments, {"input": type_of(1, 4, 3, 3)})
    resized = (
        'F.interpolate(input, scale_factor=2, mode="bilinear", align_corners=False)'
    )
    assert one_line(found.forward) == f"return {resized}"
    expected = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
    assert torch.equal(run("interpolate", arguments, {"input": x}), expected)
    found = check(
        "pixel_shuffle", {"upscale_factor": 2}, {"input": type_of(1, 4, 3, 3)}
    )
    assert found.forward == ["return F.pixel_shuffle(input, 2)"]


def test_label() -> None:
    input = type_of(1, 4, 8, 8)
    assert label("interpolate", {"scale_factor": 2}, input=input) == "×2, nearest"
    assert label("interpolate", {"size": [4, 6]}, input=input) == "to 4×6, nearest"
    assert label("pixel_unshuffle", {"downscale_factor": 2}, input=input) == "÷2"
