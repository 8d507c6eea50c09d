"""Handwritten digits, 8 by 8: 1,797 images that come with scikit-learn (Alpaydin and Kaynak, 1998)."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import model_validator

from compiler.language.model import fault
from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.image_data import ImageData
from compiler.tasks.splits import RandomSplit


class Digits(ImageData, RandomSplit):
    """Options of the digits.

    Attributes:
        form: images, or sequences of 8 rows with 8 values each.
    """

    name: ClassVar[str] = "digits"
    forms: ClassVar[tuple[Form, ...]] = ("images", "sequences")

    form: Literal["images", "sequences"] = "images"

    @model_validator(mode="after")
    def _images_alone(self) -> Self:
        """Check that options of images are of images."""
        given = self.augment or self.normalize
        if self.form == "sequences" and given:
            message = "sequences are neither augmented nor normalized"
            raise fault("bad-value", message, at=("form",))
        return self

    def facts(self) -> DataFacts:
        if self.form == "sequences":
            return DataFacts("sequences", features=8, classes=10)
        return DataFacts("images", image=(1, 8, 8), classes=10)
