"""Coloured handwritten digits of scikit-learn with captions: one digit, or two beside or above each other."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.formulas import Whole
from compiler.tasks.image_data import ImageData

SIDE = 8
NAMES = (
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
)
COLOURS = ("red", "green", "blue", "yellow")
RELATIONS = ("left of", "above")
_WORDS = len({"a", *NAMES, *COLOURS, *" ".join(RELATIONS).split()})
_SPECIALS = 4


class CaptionedDigits(ImageData):
    """Options of the images. Held-out images show held-out digits.

    The captions are `a red seven`, or `a red seven left of a blue three` for two digits.

    Attributes:
        digits: number of digits in an image, whose height and width are 8 for each.
        count: number of training images.
        held_out: number of held-out images.
    """

    name: ClassVar[str] = "captioned_digits"
    forms: ClassVar[tuple[Form, ...]] = ("captioned images",)

    digits: Literal[1, 2] = 2
    count: Annotated[Whole, Field(le=100_000)] = 4000
    held_out: Annotated[Whole, Field(le=10_000)] = 500

    def facts(self) -> DataFacts:
        size, pairs = SIDE * self.digits, len(NAMES) * len(COLOURS)
        words = 3 if self.digits == 1 else 8
        return DataFacts(
            "captioned images",
            image=(3, size, size),
            classes=pairs if self.digits == 1 else len(RELATIONS) * pairs**2,
            vocab=_SPECIALS + _WORDS + 1,
            length=words + 1,
        )
