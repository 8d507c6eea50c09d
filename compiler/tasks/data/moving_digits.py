"""Videos of a handwritten digit of MNIST that moves in one of eight directions: no frame alone tells which."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.formulas import Whole
from compiler.tasks.image_data import ImageData

DIRECTIONS = (
    "right",
    "down right",
    "down",
    "down left",
    "left",
    "up left",
    "up",
    "up right",
)


class MovingDigits(ImageData):
    """Options of the videos. Held-out videos show held-out digits; the same options give the same videos.

    Attributes:
        size: height and width of a frame.
        frames: number of frames.
        count: number of training videos.
        held_out: number of held-out videos.
    """

    name: ClassVar[str] = "moving_digits"
    forms: ClassVar[tuple[Form, ...]] = ("videos",)

    size: Annotated[Whole, Field(ge=16, le=256)] = 32
    frames: Annotated[Whole, Field(ge=2, le=128)] = 8
    count: Annotated[Whole, Field(le=100_000)] = 2000
    held_out: Annotated[Whole, Field(le=100_000)] = 400

    def facts(self) -> DataFacts:
        return DataFacts(
            "videos",
            image=(1, self.size, self.size),
            frames=self.frames,
            classes=len(DIRECTIONS),
        )
