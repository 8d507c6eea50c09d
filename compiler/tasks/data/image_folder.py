"""A folder with one folder of images for each class."""

from __future__ import annotations

from typing import ClassVar, Literal

from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.data_set import DataSet, File
from compiler.tasks.formulas import Count, Share, Whole


class ImageFolder(DataSet):
    """Options of an image folder.

    Attributes:
        path: the folder.
        size: height and width to which images are resized.
        channels: 1 for grey, 3 for colour.
        held_out: fraction held out of each class.
        split_seed: random seed of the split.
        fold: number of the fold that is held out, for cross-validation with 1 / held_out folds.
        shift: maximum random shift of training images, in pixels.
        rotate: maximum random rotation of training images, in degrees.
        range: the pixel values of black and white.
    """

    name: ClassVar[str] = "image_folder"
    forms: ClassVar[tuple[Form, ...]] = ("images",)

    path: File
    size: Whole
    channels: Literal[1, 3] = 3
    held_out: Share = 0.2
    split_seed: Count = 0
    fold: Count = 0
    shift: Count = 0
    rotate: Count = 0
    range: Literal["0..1", "-1..1"] = "0..1"

    def facts(self) -> DataFacts:
        return DataFacts("images", image=(self.channels, self.size, self.size))
