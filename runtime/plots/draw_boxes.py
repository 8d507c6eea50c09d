"""Draw boxes on images, with the names of their classes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import torch
from torch import Tensor

from runtime.plots.image_grid import grid_png
from runtime.plots.masks import class_colours

_SIDE: Final = 160
"""The shorter side of small images is magnified to about this number of pixels."""


def boxes_png(
    images: Sequence[Tensor],
    boxes: Sequence[Tensor],
    labels: Sequence[Tensor],
    classes: Sequence[str],
    columns: int,
) -> bytes:
    """A PNG of images [C, H, W] with values from 0 to 1 in rows, with a box and a name for each object.

    Args:
        images: all of one size.
        boxes: those of each image [N, 4], in its pixels.
        labels: their classes int[N].
        classes: names of the classes.
        columns: number of images in a row.
    """
    drawn = [
        _drawn(image, zip(here, names.tolist(), strict=True), classes)
        for image, here, names in zip(images, boxes, labels, strict=True)
    ]
    return grid_png(torch.stack(drawn), columns)


def _drawn(
    image: Tensor, found: Iterable[tuple[Tensor, int]], classes: Sequence[str]
) -> Tensor:
    from PIL import Image, ImageDraw

    factor = max(1, _SIDE // min(image.shape[1:]))
    rgb = image[:3] if image.shape[0] >= 3 else image[:1].expand(3, -1, -1)
    large = rgb.repeat_interleave(factor, 1).repeat_interleave(factor, 2)
    pixels = (large.clamp(0, 1) * 255).byte().permute(1, 2, 0).contiguous()
    picture = Image.fromarray(pixels.numpy())
    draw = ImageDraw.Draw(picture)
    colours = class_colours(len(classes) + 1)[1:].tolist()
    for box, label in found:
        left, top, right, bottom = (factor * box).tolist()
        colour = tuple(colours[label])
        sides = (left, top, max(left, right - 1), max(top, bottom - 1))
        draw.rectangle(sides, outline=colour, width=2)
        name = classes[label]
        # Above the box, or inside of it at the top of the image.
        at = (left + 1, top - 13 if top >= 13 else top + 1)
        draw.rectangle(draw.textbbox(at, name), fill=colour)
        draw.text(at, name, fill=(0, 0, 0))
    values = torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8)
    return values.view(*pixels.shape).permute(2, 0, 1).float() / 255
