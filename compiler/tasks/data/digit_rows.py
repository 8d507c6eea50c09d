"""Rows of random handwritten digits of scikit-learn: which of them occur, and their sum."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.formulas import Count, Whole
from compiler.tasks.image_data import ImageData


class DigitRows(ImageData):
    """Options of the rows. The digits are real, the rows are made; held-out rows are of held-out digits.

    Attributes:
        digits: number of digits in a row, each of 8 by 8 pixels.
        count: number of training rows.
        held_out: number of held-out rows.
        seed: random seed of the rows.
    """

    name: ClassVar[str] = "digit_rows"
    forms: ClassVar[tuple[Form, ...]] = ("images",)

    digits: Annotated[Whole, Field(le=16)] = 3
    count: Annotated[Whole, Field(le=100_000)] = 6000
    held_out: Annotated[Whole, Field(le=100_000)] = 1000
    seed: Count = 0

    def facts(self) -> DataFacts:
        return DataFacts(
            "images",
            ("numbers", "labels"),
            image=(1, 8, 8 * self.digits),
            targets=("sum",),
            labels=tuple("0123456789"),
        )
