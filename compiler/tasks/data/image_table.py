"""A CSV file with a column of image files, and what is to be predicted of each: a class, numbers, or labels."""

from __future__ import annotations

from typing import ClassVar, Literal

from compiler.tasks.answer_columns import AnswerColumns
from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.formulas import Whole
from compiler.tasks.image_data import Fit, ImageData
from compiler.tasks.list_options import names_of


class ImageTable(ImageData, AnswerColumns):
    """Options of a table of images.

    Attributes:
        image: column of the image files, as paths relative to the table.
        size: height and width to which images are resized.
        channels: 1 for grey, 3 for colour.
        fit: how images become squares: stretched, cropped in the middle, or padded with black.
    """

    name: ClassVar[str] = "image_table"
    forms: ClassVar[tuple[Form, ...]] = ("images",)

    image: str
    size: Whole
    channels: Literal[1, 3] = 3
    fit: Fit = "stretch"

    def facts(self) -> DataFacts:
        return DataFacts(
            "images",
            self.answers,
            image=(self.channels, self.size, self.size),
            targets=names_of(self.target),
            labels=names_of(self.labels),
        )
