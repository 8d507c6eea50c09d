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
        test_images, test_labels: those held out; without them a share of the training images is.
        classes: how many labels there are; without it, one more than the largest.
        held_out: the share that is held out, every class alike.
        shift: training images move by up to so many pixels each way.
        rotate: training images turn by up to so many degrees each way.
        range: the values of black and white.
    """

    name: ClassVar[str] = "idx"
    forms: ClassVar[tuple[Form, ...]] = ("images",)

    images: File
    labels: File
    test_images: File | None = None
    test_labels: File | None = None
    classes: Whole | None = None
    held_out: Share = 0.2
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
