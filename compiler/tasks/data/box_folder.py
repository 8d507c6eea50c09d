"""Images with boxes in a JSON file as COCO's (Lin et al., 2014)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.data_set import File
from compiler.tasks.formulas import Whole
from compiler.tasks.image_data import ImageData
from compiler.tasks.list_options import ClassNames
from compiler.tasks.splits import OwnFiles, RandomSplit

BoxFit = Literal["stretch", "pad"]
"""How an image of another aspect ratio becomes a square; cropping would cut boxes."""


class BoxFolder(ImageData, OwnFiles, RandomSplit):
    """Options of images with boxes, in a JSON file as COCO's.

    Boxes that COCO marks as crowds are left out, and so are parts of boxes outside of their image.

    Attributes:
        path: the JSON file, with `images`, `annotations` and `categories`.
        images: the folder that the names of image files start from; default: the folder of the JSON file.
        size: height and width to which images are resized.
        channels: 1 for grey, 3 for colour.
        fit: how images become squares: stretched, or padded with black.
        classes: names of the classes, of all categories of the file or some; default: all categories.
    """

    name: ClassVar[str] = "box_folder"
    forms: ClassVar[tuple[Form, ...]] = ("boxed images",)

    path: File
    images: File | None = None
    size: Whole
    channels: Literal[1, 3] = 3
    fit: BoxFit = "stretch"
    classes: Annotated[ClassNames, Field(max_length=1000)] = ()

    def facts(self) -> DataFacts:
        image = (self.channels, self.size, self.size)
        classes = len(self.classes) or None
        return DataFacts("boxed images", image=image, classes=classes)
