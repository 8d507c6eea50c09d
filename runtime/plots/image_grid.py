"""Images side by side as one picture."""

from __future__ import annotations

import io
import math

import torch
from matplotlib.image import imsave
from torch import Tensor
from torch.nn import functional as F

_SIDE = 40
"""Pixels of a small image's shorter side: it is magnified to about that."""


def grid_png(images: Tensor, columns: int, values: str = "0..1") -> bytes:
    """Images [N, C, H, W] with values in `values`, 0..1 or -1..1, row after row.

    One channel is grey, of three or more the first three are red, green and blue;
    pixels of small images become squares.
    """
    times = max(1, _SIDE // min(images.shape[2:]))
    low = -1.0 if values == "-1..1" else 0.0
    unit = ((images.detach().float().cpu() - low) / (1 - low)).nan_to_num().clamp(0, 1)
    pixels = unit[:, :3] if unit.shape[1] >= 3 else unit[:, :1].expand(-1, 3, -1, -1)
    large = pixels.repeat_interleave(times, 2).repeat_interleave(times, 3)
    return _png(_tiled(large, columns))


def _tiled(images: Tensor, columns: int) -> Tensor:
    """Images [N, 3, H, W] as one [rows * H, columns * W, 3], with white lines between them."""
    rows = math.ceil(len(images) / columns)
    blank = images.new_ones(rows * columns - len(images), *images.shape[1:])
    tiles = F.pad(torch.cat([images, blank]), (1, 1, 1, 1), value=1.0)
    _, _, height, width = tiles.shape
    placed = tiles.view(rows, columns, 3, height, width).permute(0, 3, 1, 4, 2)
    return placed.reshape(rows * height, columns * width, 3)


def _png(pixels: Tensor) -> bytes:
    """Pixels [H, W, 3] from 0 to 1 as the bytes of a PNG, without the time in it."""
    buffer = io.BytesIO()
    values = (pixels * 255).round().byte().numpy()
    imsave(buffer, values, format="png", metadata={})
    return buffer.getvalue()
