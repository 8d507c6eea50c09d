"""A folder with one folder of images for each class, or `train/` and `val/` or `test/`, each with such folders."""

from __future__ import annotations

from typing import ClassVar, Literal

from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.data_set import File
from compiler.tasks.formulas import Whole
from compiler.tasks.image_data import Fit, ImageData
from compiler.tasks.splits import OwnFiles, RandomSplit


class ImageFolder(ImageData, OwnFiles, RandomSplit):
    """Options of an image folder.

    Attributes:
        path: the folder.
        size: height and width to which images are resized.
        channels: 1 for grey, 3 for colour.
        fit: how images become squares: stretched, cropped in the middle, or padded with black.
    """

    name: ClassVar[str] = "image_folder"
    forms: ClassVar[tuple[Form, ...]] = ("images",)

    path: File
    size: Whole
    channels: Literal[1, 3] = 3
    fit: Fit = "stretch"

    def facts(self) -> DataFacts:
        return DataFacts("images", image=(self.channels, self.size, self.size))
