"""Draw a grid of images."""

from __future__ import annotations

import io
import math
from typing import Final

import torch
from matplotlib.image import imsave
from torch import Tensor
from torch.nn import functional as F

_MIN_SIDE: Final = 40
"""The shorter side of small images is magnified to about this number of pixels."""


def grid_png(images: Tensor, columns: int, value_range: str = "0..1") -> bytes:
    """A PNG of images [N, C, H, W] in rows.

    One channel is grey; of three or more, the first three are RGB. Small images are magnified
    without interpolation.

    Args:
        images: values outside `value_range` are clipped; NaN is black.
        columns: number of images in a row.
        value_range: `0..1` or `-1..1`.
    """
    factor = max(1, _MIN_SIDE // min(images.shape[2:]))
    low = -1.0 if value_range == "-1..1" else 0.0
    unit = ((images.detach().float().cpu() - low) / (1 - low)).nan_to_num().clamp(0, 1)
    rgb = unit[:, :3] if unit.shape[1] >= 3 else unit[:, :1].expand(-1, 3, -1, -1)
    large = rgb.repeat_interleave(factor, 2).repeat_interleave(factor, 3)
    return _encode_png(_tile(large, columns))


def _tile(images: Tensor, columns: int) -> Tensor:
    """Images [N, 3, H, W] as one [rows * (H + 2), columns * (W + 2), 3], with white lines between them."""
    rows = math.ceil(len(images) / columns)
    blank = images.new_ones(rows * columns - len(images), *images.shape[1:])
    tiles = F.pad(torch.cat([images, blank]), (1, 1, 1, 1), value=1.0)
    _, _, height, width = tiles.shape
    grid = tiles.view(rows, columns, 3, height, width).permute(0, 3, 1, 4, 2)
    return grid.reshape(rows * height, columns * width, 3)


def _encode_png(pixels: Tensor) -> bytes:
    """Pixels [H, W, 3] from 0 to 1 as a PNG without metadata, which would have the time."""
    buffer = io.BytesIO()
    values = (pixels * 255).round().byte().numpy()
    imsave(buffer, values, format="png", metadata={})
    return buffer.getvalue()
