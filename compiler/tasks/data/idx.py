"""Images in IDX files, the format of MNIST and Fashion-MNIST, compressed by gzip or not."""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import model_validator

from compiler.language.model import fault
from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.data_set import File
from compiler.tasks.formulas import Whole
from compiler.tasks.image_data import ImageData
from compiler.tasks.splits import RandomSplit


class Idx(ImageData, RandomSplit):
    """Options of IDX files.

    Attributes:
        images, labels: the files for training.
        test_images, test_labels: the files that only `evaluate` uses; default: it uses the held-out images.
        classes: number of labels; default: one more than the largest.
    """

    name: ClassVar[str] = "idx"
    forms: ClassVar[tuple[Form, ...]] = ("images",)

    images: File
    labels: File
    test_images: File | None = None
    test_labels: File | None = None
    classes: Whole | None = None

    @model_validator(mode="after")
    def _both(self) -> Self:
        if (self.test_images is None) != (self.test_labels is None):
            message = "`test_images` and `test_labels` come together"
            raise fault("missing-key", message)
        return self

    def facts(self) -> DataFacts:
        return DataFacts("images", image=(1, None, None), classes=self.classes)
