"""A folder with the folders `images` and `masks`, or `train/` and `val/` or `test/`, each with both."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.data_set import File
from compiler.tasks.formulas import Whole
from compiler.tasks.image_data import Fit, ImageData
from compiler.tasks.list_options import ClassNames
from compiler.tasks.splits import OwnFiles, RandomSplit


class MaskFolder(ImageData, OwnFiles, RandomSplit):
    """Options of images with masks. The mask of an image has its name and its size.

    A pixel of a mask, a grey or a palette image, is the number of its class, and 255 if it does not count.

    Attributes:
        path: the folder.
        size: height and width to which images are resized.
        channels: 1 for grey, 3 for colour.
        fit: how images become squares: stretched, cropped in the middle, or padded with black; masks with 0.
        classes: names of the classes; default: numbers up to the largest in a mask.
    """

    name: ClassVar[str] = "mask_folder"
    forms: ClassVar[tuple[Form, ...]] = ("segmented images",)

    path: File
    size: Whole
    channels: Literal[1, 3] = 3
    fit: Fit = "stretch"
    classes: Annotated[ClassNames, Field(max_length=255)] = ()

    def facts(self) -> DataFacts:
        image = (self.channels, self.size, self.size)
        classes = len(self.classes) or None
        return DataFacts("segmented images", image=image, classes=classes)
