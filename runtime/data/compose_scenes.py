"""Compose scenes of handwritten digits: where each digit is, is known exactly."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F

_SMALLEST, _LARGEST = 14, 24
"""Height and width of a digit in a scene, in pixels."""
_DARKEST: Final = 0.5
"""Smallest brightness of a digit."""
_INK: Final = 0.35
"""Pixels of a digit that are brighter than this, before it is darkened, belong to it."""
_NOISE: Final = 0.25
"""Largest value of the background."""
_TRIALS: Final = 20
"""Number of places that are tried for a digit; without a free one the scene has a digit less."""


@dataclass(frozen=True)
class PlacedDigit:
    """A digit in a scene.

    Attributes:
        label: which digit it is.
        left, top, side: the square of its image.
        ink: its pixels float[side, side], from 0 to 1.
        brightness: what they are multiplied by.
    """

    label: int
    left: int
    top: int
    side: int
    ink: Tensor
    brightness: float

    @property
    def pixels(self) -> Tensor:
        """Which pixels of its square belong to it, bool[side, side]."""
        return self.ink > _INK

    @property
    def box(self) -> tuple[int, int, int, int]:
        """The smallest box around its pixels: left, top, right and bottom, the last two exclusive."""
        rows, columns = self.pixels.any(1).nonzero(), self.pixels.any(0).nonzero()
        return (
            self.left + int(columns[0]),
            self.top + int(rows[0]),
            self.left + int(columns[-1]) + 1,
            self.top + int(rows[-1]) + 1,
        )


def scenes(
    images: Tensor, labels: Tensor, count: int, size: int, most: int, seed: int
) -> Iterator[tuple[Tensor, list[PlacedDigit]]]:
    """Scenes as images uint8[1, size, size], and their digits; the same arguments give the same scenes.

    Args:
        images: the digits to choose from, uint8[N, 28, 28].
        labels: int[N].
        count: number of scenes.
        size: height and width of a scene.
        most: maximum number of digits in a scene; there is at least one.
        seed: random seed.
    """
    generator = torch.Generator().manual_seed(seed)
    for _ in range(count):
        digits: list[PlacedDigit] = []
        for _ in range(_between(1, most, generator)):
            index = _between(0, len(images) - 1, generator)
            placed = _place(images[index], int(labels[index]), size, digits, generator)
            digits += [] if placed is None else [placed]
        yield _painted(digits, size, generator), digits


def _place(
    image: Tensor,
    label: int,
    size: int,
    others: list[PlacedDigit],
    generator: torch.Generator,
) -> PlacedDigit | None:
    """A digit at a random free place; None if none was found."""
    side = _between(_SMALLEST, _LARGEST, generator)
    square = (image.float() / 255)[None, None]
    ink = F.interpolate(square, (side, side), mode="bilinear", antialias=True)[0, 0]
    brightness = _DARKEST + (1 - _DARKEST) * float(torch.rand((), generator=generator))
    for _ in range(_TRIALS):
        left, top = (_between(0, size - side, generator) for _ in range(2))
        placed = PlacedDigit(label, left, top, side, ink, brightness)
        if not any(_overlap(placed.box, other.box) for other in others):
            return placed
    return None


def _overlap(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    apart = (
        one[2] <= other[0]
        or other[2] <= one[0]
        or one[3] <= other[1]
        or other[3] <= one[1]
    )
    return not apart


def _painted(
    digits: list[PlacedDigit], size: int, generator: torch.Generator
) -> Tensor:
    """The digits before a noisy background uint8[1, size, size]."""
    coarse = torch.rand(1, 1, 6, 6, generator=generator)
    smooth = F.interpolate(coarse, (size, size), mode="bilinear", antialias=True)[0]
    grain = torch.rand(1, size, size, generator=generator)
    scene = _NOISE * (smooth + grain) / 2
    for one in digits:
        square = scene[0, one.top : one.top + one.side, one.left : one.left + one.side]
        square.copy_(torch.maximum(square, one.ink * one.brightness))
    return (scene * 255).round().byte()


def mask_of(digits: list[PlacedDigit], size: int) -> Tensor:
    """The class of each pixel uint8[size, size]: 0 for the background, 1 more than the digit for a digit's."""
    mask = torch.zeros(size, size, dtype=torch.uint8)
    for one in digits:
        square = mask[one.top : one.top + one.side, one.left : one.left + one.side]
        square[one.pixels] = one.label + 1
    return mask


def _between(low: int, high: int, generator: torch.Generator) -> int:
    """A random integer from low to high."""
    return int(torch.randint(low, high + 1, (), generator=generator))
