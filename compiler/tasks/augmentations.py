"""Augmentations: random changes of training images. Each is a transform of kornia (Riba et al., 2020)."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field

from compiler.language.choice import Choice
from compiler.tasks.formulas import NotNegative, Real, Whole
from compiler.tasks.list_options import AS_TUPLE

Probability = Annotated[Real, Field(ge=0, le=1)]


class Augmentation(Choice):
    """One augmentation."""

    noun: ClassVar[str] = "augmentation"
    example: ClassVar[str] = "augment: [flip, {rotate: {degrees: 10}}]"
    by_param: ClassVar[bool] = True


class RandomHorizontalFlip(Augmentation):
    """Mirrors an image left to right (`RandomHorizontalFlip`).

    Attributes:
        p: probability.
    """

    name: ClassVar[str] = "flip"

    p: Probability = 0.5


class RandomVerticalFlip(Augmentation):
    """Mirrors an image top to bottom (`RandomVerticalFlip`).

    Attributes:
        p: probability.
    """

    name: ClassVar[str] = "flip_vertical"

    p: Probability = 0.5


class RandomShift(Augmentation):
    """Shifts an image by whole pixels: pads with black, and crops (`RandomCrop`; He et al., 2015).

    Attributes:
        pixels: maximum shift in each direction.
    """

    name: ClassVar[str] = "shift"

    pixels: Whole


class RandomRotation(Augmentation):
    """Rotates an image; corners are filled with black (`RandomRotation`).

    Attributes:
        degrees: maximum angle in each direction.
    """

    name: ClassVar[str] = "rotate"

    degrees: NotNegative


class RandomResizedCrop(Augmentation):
    """Crops an image at random, and resizes the crop to the image's size (`RandomResizedCrop`; Szegedy et al., 2014).

    Attributes:
        smallest: smallest area of the crop, as a fraction of the image.
        aspect: largest ratio of the crop's sides.
    """

    name: ClassVar[str] = "resized_crop"

    smallest: Annotated[Real, Field(gt=0, le=1)] = 0.5
    aspect: Annotated[Real, Field(ge=1)] = 1.333


class ColorJitter(Augmentation):
    """Changes brightness, contrast, saturation and hue (`ColorJitter`); the last two of colour images only.

    Attributes:
        brightness, contrast, saturation: maximum change of each factor from 1.
        hue: maximum rotation of the hue, in turns.
    """

    name: ClassVar[str] = "color"

    brightness: Probability = 0.2
    contrast: Probability = 0.2
    saturation: Probability = 0.0
    hue: Annotated[Real, Field(ge=0, le=0.5)] = 0.0


class RandomErasing(Augmentation):
    """Fills a rectangle with black (`RandomErasing`; Zhong et al., 2017).

    Attributes:
        p: probability.
    """

    name: ClassVar[str] = "erase"

    p: Probability = 0.5


Augmentations = Annotated[
    tuple[Augmentation, ...],
    AS_TUPLE,
]
"""Augmentations in the order in which they are applied."""


def colour_changes(augmentations: tuple[Any, ...]) -> bool:
    """Whether augmentations change what only colour images have."""
    return any(
        isinstance(one, ColorJitter) and bool(one.saturation or one.hue)
        for one in augmentations
    )
