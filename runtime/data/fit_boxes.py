"""Move boxes with images that are resized to the size of a network's input, and back."""

from __future__ import annotations

import torch
from torch import Tensor

from compiler.tasks.data.box_folder import BoxFit

Size = tuple[int, int]
"""Width and height."""


def boxes_in_input(boxes: Tensor, image: Size, target: Size, fit: BoxFit) -> Tensor:
    """Boxes [N, 4] of an image, in the pixels of the input that it becomes."""
    scale, offset = _fitted(image, target, fit)
    return boxes * scale + offset


def boxes_in_image(boxes: Tensor, target: Size, image: Size, fit: BoxFit) -> Tensor:
    """Boxes [N, 4] in the pixels of an input, in those of the image that it was; clipped to the image."""
    scale, offset = _fitted(image, target, fit)
    found = (boxes - offset) / scale
    return found.clamp(min=0).minimum(torch.tensor([*image, *image]))


def _fitted(image: Size, target: Size, fit: BoxFit) -> tuple[Tensor, Tensor]:
    """What coordinates are multiplied by, and what is added to them [4]."""
    inner, offset = target, [0, 0]
    if fit == "pad":  # as Pillow's ImageOps.pad
        ratio = min(target[0] / image[0], target[1] / image[1])
        inner = (round(image[0] * ratio), round(image[1] * ratio))
        offset = [round((t - s) / 2) for t, s in zip(target, inner, strict=True)]
    scale = [inner[0] / image[0], inner[1] / image[1]]
    return torch.tensor(scale * 2), torch.tensor(offset * 2)
