"""A folder with one folder of images for each class."""

from __future__ import annotations

from typing import Literal

from compiler.tasks.choices import Count, Share, Whole
from compiler.tasks.data.data_set import Data, File
from compiler.tasks.data_facts import DataFacts


class ImageFolder(Data):
    """Options of an image folder.

    Attributes:
        path: the folder.
        size: images are brought to this height and width.
        channels: 1 for grey, 3 for colour.
        held_out: the share that is held out, every class alike.
        shift: training images move by up to so many pixels each way.
        rotate: training images turn by up to so many degrees each way.
        range: the values of black and white.
    """

    path: File
    size: Whole
    channels: Literal[1, 3] = 3
    held_out: Share = 0.2
    shift: Count = 0
    rotate: Count = 0
    range: Literal["0..1", "-1..1"] = "0..1"

    def facts(self) -> DataFacts:
        return DataFacts("images", image=(self.channels, self.size, self.size))
