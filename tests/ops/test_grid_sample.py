"""Images read at places that a tensor gives."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from compiler.op.errors import OpError
from tests.ops.coverage import each
from tests.ops.draws import SELDOM, label, some, type_of
from tests.ops.harness import check, infer, run, tensor

MODES = st.sampled_from(["bilinear", "nearest", "bicubic"])
EDGES = st.sampled_from(["zeros", "border", "reflection"])


@st.composite
def changed(draw: st.DrawFn, shape: list[int]) -> list[int]:
    """The shape, but seldom with a size or a dimension more."""
    more = [size + draw(SELDOM) for size in shape]
    return more + [2] * draw(SELDOM)


@each("grid_sample")
@given(
    st.data(),
    st.sampled_from([2, 2, 3, 1]),
    some(mode=MODES, padding_mode=EDGES, align_corners=st.booleans()),
)
def test_grid_sample(
    op: str, data: st.DataObject, spatial: int, arguments: dict[str, Any]
) -> None:
    sizes = [data.draw(st.integers(1, 4)) for _ in range(2 + 2 * spatial)]
    input, places = sizes[: 2 + spatial], sizes[2 + spatial :]
    grid = data.draw(changed([input[0], *places, spatial]))
    # The meta device does not look at the sizes.
    inputs = {"input": type_of(*input), "grid": type_of(*grid)}
    check(op, arguments, inputs, device="cpu")


@each("affine_grid")
@given(
    st.data(),
    st.sampled_from([2, 2, 3, 1]),
    some(align_corners=st.booleans()),
)
def test_affine_grid(
    op: str, data: st.DataObject, spatial: int, arguments: dict[str, Any]
) -> None:
    # Of a size of 1 whose corners are aligned torch warns.
    size = [data.draw(st.integers(2, 4)) for _ in range(2 + spatial)]
    if data.draw(SELDOM):
        size[data.draw(st.integers(0, 1 + spatial))] = 0
    theta = data.draw(changed([max(size[0], 1), spatial, spatial + 1]))
    check(op, {"size": size, **arguments}, {"theta": type_of(*theta)}, device="cpu")


def test_code_reads_as_written_by_hand() -> None:
    image, grid = tensor("float[2, 3, 8, 8]"), tensor("float[2, 4, 4, 2]")
    found = check("grid_sample", {"mode": "nearest"}, {"input": image, "grid": grid})
    (line,) = found.forward
    assert line == (
        'return F.grid_sample(input, grid, mode="nearest", align_corners=False)'
    )
    theta = tensor("float[2, 2, 3]")
    found = check("affine_grid", {"size": [2, 3, 8, 8]}, {"theta": theta})
    assert found.forward == [
        "return F.affine_grid(theta, (2, 3, 8, 8), align_corners=False)"
    ]


def test_the_identity_gives_the_image_back() -> None:
    image = torch.randn(2, 3, 5, 6)
    theta = torch.eye(2, 3).expand(2, 2, 3)
    size = {"size": [2, 3, 5, 6]}
    grid = run("affine_grid", size, {"theta": theta})
    assert torch.equal(grid, F.affine_grid(theta, [2, 3, 5, 6], align_corners=False))
    found = run("grid_sample", {}, {"input": image, "grid": grid})
    assert torch.allclose(found, image, atol=1e-5)


def test_symbols() -> None:
    image, grid = tensor("float[B, C, H, W]"), tensor("float[B, S, T, 2]")
    found = infer("grid_sample", {}, {"input": image, "grid": grid})
    assert found == (tensor("float[B, C, S, T]"),)
    with pytest.raises(OpError, match="one grid per image"):
        infer("grid_sample", {}, {"input": image, "grid": tensor("float[A, S, T, 2]")})
    theta = {"theta": tensor("float[B, 2, 3]")}
    found = infer("affine_grid", {"size": ["B", 1, "H", "W"]}, theta)
    assert found == (tensor("float[B, H, W, 2]"),)
    assert (
        label("grid_sample", {}, input=type_of(1, 1, 2, 2), grid=type_of(1, 2, 2, 2))
        == "bilinear"
    )
