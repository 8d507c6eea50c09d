"""Scenes that are composed of real handwritten digits, 5,000 of MNIST, so that masks and boxes are known."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.formulas import Whole
from compiler.tasks.image_data import ImageData

DIGITS = 10


class DigitScenes(ImageData):
    """Options of the scenes. Held-out scenes are composed of held-out digits; the same options give the same scenes.

    Attributes:
        form: images with masks, where class 0 is the background and class 1 the digit 0; or with boxes.
        size: height and width.
        most: maximum number of digits in a scene.
        count: number of training scenes.
        held_out: number of held-out scenes.
    """

    name: ClassVar[str] = "digit_scenes"
    forms: ClassVar[tuple[Form, ...]] = ("segmented images", "boxed images")

    form: Literal["segmented images", "boxed images"] = "segmented images"
    size: Annotated[Whole, Field(ge=32, le=512)] = 48
    most: Annotated[Whole, Field(le=20)] = 3
    count: Annotated[Whole, Field(le=100_000)] = 2000
    held_out: Annotated[Whole, Field(le=100_000)] = 400

    def facts(self) -> DataFacts:
        image = (1, self.size, self.size)
        classes = DIGITS + (self.form == "segmented images")
        return DataFacts(self.form, image=image, classes=classes)
