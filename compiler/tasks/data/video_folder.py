"""A folder with one folder of videos for each class, or `train/` and `val/` or `test/`, each with such folders."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.data_set import File
from compiler.tasks.formulas import Whole
from compiler.tasks.image_data import Fit, ImageData
from compiler.tasks.splits import OwnFiles, RandomSplit


class VideoFolder(ImageData, OwnFiles, RandomSplit):
    """Options of a folder of videos. A video is an animated GIF, PNG or WebP, or a folder of frames, sorted by name.

    Attributes:
        path: the folder.
        size: height and width to which frames are resized.
        frames: number of frames, evenly chosen from those of each video.
        channels: 1 for grey, 3 for colour.
        fit: how frames become squares: stretched, cropped in the middle, or padded with black.
    """

    name: ClassVar[str] = "video_folder"
    forms: ClassVar[tuple[Form, ...]] = ("videos",)

    path: File
    size: Whole
    frames: Annotated[Whole, Field(ge=2)] = 16
    channels: Literal[1, 3] = 3
    fit: Fit = "stretch"

    def facts(self) -> DataFacts:
        image = (self.channels, self.size, self.size)
        return DataFacts("videos", image=image, frames=self.frames)
