"""Draw masks: the class of each pixel as a colour."""

from __future__ import annotations

import io

import numpy as np
import torch
from matplotlib import colormaps
from torch import Tensor

_SHADES = 20


def class_colours(count: int) -> Tensor:
    """A colour for each of `count` classes uint8[count, 3]; class 0 is black."""
    table = torch.tensor(colormaps["tab20"].colors)  # type: ignore[attr-defined]
    # Strong colours first, then their pale neighbours.
    order = [*range(0, _SHADES, 2), *range(1, _SHADES, 2)]
    shades = (table[order] * 255).round().byte()
    rows = torch.arange(count - 1) % _SHADES
    return torch.cat([torch.zeros(1, 3, dtype=torch.uint8), shades[rows]])


def coloured(masks: Tensor, count: int) -> Tensor:
    """Masks int[N, H, W] as images float[N, 3, H, W] from 0 to 1; pixels below 0, which do not count, are white."""
    colours = class_colours(count).float() / 255
    images = colours[masks.clamp(min=0)]
    images[masks < 0] = 1.0
    return images.permute(0, 3, 1, 2)


def mask_png(mask: Tensor, count: int) -> bytes:
    """A palette PNG of a mask int[H, W]: a pixel is the number of its class."""
    from PIL import Image

    image = Image.fromarray(mask.byte().numpy().astype(np.uint8), mode=None)
    image.putpalette(class_colours(count).flatten().tolist())
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
