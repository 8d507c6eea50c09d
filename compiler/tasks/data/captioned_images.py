"""Files of images with captions: on each line the path of an image, a tab, and its caption."""

from __future__ import annotations

from typing import ClassVar, Literal

from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.data_set import File, Tokens, Words, vocabulary
from compiler.tasks.formulas import Whole
from compiler.tasks.image_data import Fit, ImageData
from compiler.tasks.splits import OwnFiles, RandomSplit


class CaptionedImages(ImageData, OwnFiles, RandomSplit):
    """Options of captioned images; paths of images start at the folder of the file.

    Attributes:
        path: the file.
        size: height and width to which images are resized.
        channels: 1 for grey, 3 for colour.
        fit: how images become squares: stretched, cropped in the middle, or padded with black.
        tokens: the tokenizer; its vocabulary has one token more, the end of a caption.
        length: maximum number of tokens; longer captions are truncated.
    """

    name: ClassVar[str] = "captioned_images"
    forms: ClassVar[tuple[Form, ...]] = ("captioned images",)

    path: File
    size: Whole
    channels: Literal[1, 3] = 3
    fit: Fit = "stretch"
    tokens: Tokens = Words(words=10000)
    length: Whole = 77

    def facts(self) -> DataFacts:
        known = vocabulary(self.tokens)
        return DataFacts(
            "captioned images",
            image=(self.channels, self.size, self.size),
            vocab=None if known is None else known + 1,
            length=self.length,
        )
