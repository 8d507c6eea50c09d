"""Handwritten digits, 8 by 8: 1,797 images that come with scikit-learn (Alpaydin and Kaynak, 1998)."""

from __future__ import annotations

from typing import ClassVar, Literal

from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.data_set import DataSet
from compiler.tasks.formulas import Count, Share


class Digits(DataSet):
    """Options of the digits.

    Attributes:
        form: images, or sequences of 8 rows with 8 values each.
        held_out: fraction held out of each class.
        split_seed: random seed of the split.
        fold: number of the fold that is held out, for cross-validation with 1 / held_out folds.
        shift: maximum random shift of training images, in pixels.
        rotate: maximum random rotation of training images, in degrees.
        range: the pixel values of black and white.
    """

    name: ClassVar[str] = "digits"
    forms: ClassVar[tuple[Form, ...]] = ("images", "sequences")

    form: Literal["images", "sequences"] = "images"
    held_out: Share = 0.2
    split_seed: Count = 0
    fold: Count = 0
    shift: Count = 0
    rotate: Count = 0
    range: Literal["0..1", "-1..1"] = "0..1"

    def facts(self) -> DataFacts:
        if self.form == "sequences":
            return DataFacts("sequences", features=8, classes=10)
        return DataFacts("images", image=(1, 8, 8), classes=10)
