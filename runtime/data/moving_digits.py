"""Videos of moving digits; held-out videos show held-out digits."""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F

from compiler.tasks.data.mnist import Mnist
from compiler.tasks.data.moving_digits import DIRECTIONS, MovingDigits
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits
from runtime.data.images import images_data
from runtime.data.mnist import mnist_images
from runtime.data.split import split_by_class

_NOISE: Final = 0.1
_SLOWEST, _FASTEST = 0.7, 1.6
"""Speed of a digit, in pixels for each frame."""


def load(options: MovingDigits, section: DataSection) -> DataSplits:
    """The videos."""
    images, labels = mnist_images()
    rows = split_by_class(labels, Mnist())
    counts = (options.count, options.held_out)
    train, held_out = (
        _videos(images[part], options, count, seed)
        for seed, (part, count) in enumerate(zip(rows, counts, strict=True))
    )
    return images_data(train, held_out, 255, list(DIRECTIONS), options)


def _videos(
    digits: Tensor, options: MovingDigits, count: int, seed: int
) -> dict[str, Tensor]:
    """Videos uint8[count, 1, T, H, W] of digits uint8[N, 1, 28, 28], and the number of each one's direction.

    A digit has half the size of a frame, and moves at constant speed from a random place; what leaves the frame on
    one side comes back on the other. So it is at any place as often, whichever way it moves.
    """
    generator = torch.Generator().manual_seed(seed)
    size, frames = options.size, options.frames
    side = size // 2
    small = F.interpolate(
        digits.float() / 255, (side, side), mode="bilinear", antialias=True
    )
    labels = torch.arange(count) % len(DIRECTIONS)
    chosen = torch.randint(len(digits), (count,), generator=generator)
    videos = torch.rand(count, 1, frames, size, size, generator=generator) * _NOISE
    for video, digit, label in zip(videos, small[chosen], labels.tolist(), strict=True):
        corner = F.pad(digit[0], (0, size - side, 0, size - side))
        places = _path(label, size, frames, generator)
        for frame, place in zip(video[0], places, strict=True):
            frame.copy_(torch.maximum(frame, corner.roll(place, (0, 1))))
    return {"images": (videos * 255).round().byte(), "labels": labels}


def _path(
    label: int, size: int, frames: int, generator: torch.Generator
) -> list[tuple[int, int]]:
    """The rows and columns by which a digit is shifted in each frame."""
    angle = label * 2 * math.pi / len(DIRECTIONS)
    top, left, speed = torch.rand(3, generator=generator).tolist()
    step = _SLOWEST + (_FASTEST - _SLOWEST) * speed
    return [
        (
            round(top * size + number * step * math.sin(angle)),
            round(left * size + number * step * math.cos(angle)),
        )
        for number in range(frames)
    ]
