"""Images in IDX files, the format of MNIST and Fashion-MNIST, compressed by gzip or not."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import model_validator

from compiler.language.model import fault
from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.data_set import DataSet, File
from compiler.tasks.formulas import Count, Share, Whole


class Idx(DataSet):
    """Options of IDX files.

    Attributes:
        images, labels: the files for training.
        test_images, test_labels: the held-out files; default: a fraction of the training images is held out.
        classes: number of labels; default: one more than the largest.
        held_out: fraction held out of each class.
        split_seed: random seed of the split.
        fold: number of the fold that is held out, for cross-validation with 1 / held_out folds.
        shift: maximum random shift of training images, in pixels.
        rotate: maximum random rotation of training images, in degrees.
        range: the pixel values of black and white.
    """

    name: ClassVar[str] = "idx"
    forms: ClassVar[tuple[Form, ...]] = ("images",)

    images: File
    labels: File
    test_images: File | None = None
    test_labels: File | None = None
    classes: Whole | None = None
    held_out: Share = 0.2
    split_seed: Count = 0
    fold: Count = 0
    shift: Count = 0
    rotate: Count = 0
    range: Literal["0..1", "-1..1"] = "0..1"

    @model_validator(mode="after")
    def _both(self) -> Self:
        if (self.test_images is None) != (self.test_labels is None):
            message = "`test_images` and `test_labels` come together"
            raise fault("missing-key", message)
        return self

    def facts(self) -> DataFacts:
        return DataFacts("images", image=(1, None, None), classes=self.classes)
