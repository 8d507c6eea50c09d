"""Images as tensors: files, value ranges, and random shifts and rotations for training."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from compiler.tasks.data_facts import DataFacts
from runtime.data.dataset import Batch, DataSplits, TensorExamples

if TYPE_CHECKING:  # only image files need Pillow
    from PIL.Image import Image

Range = Literal["0..1", "-1..1"]

FORMATS: Final = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
"""Pillow's names of the formats that are read; it reads some others by starting a program."""


class ImageOptions(Protocol):
    """The options that all image data sets have."""

    @property
    def shift(self) -> int: ...

    @property
    def rotate(self) -> int: ...

    @property
    def range(self) -> Range: ...


def scaled(images: Tensor, max_value: float, value_range: Range) -> Tensor:
    """Values from 0 to `max_value` as floats in `value_range`."""
    unit = images.float() / max_value
    return unit if value_range == "0..1" else 2 * unit - 1


class LabelledImages(TensorExamples):
    """Images with labels: batches of `image` float[B, C, H, W] and `label` int[B].

    Args:
        images: [N, C, H, W], values from 0 (black) to `max_value`; scaled when fetched.
        labels: int[N].
        max_value: largest possible value.
        value_range: range of the values in batches.
        shift: maximum random shift in each direction, in pixels.
        rotate: maximum random rotation in each direction, in degrees.
    """

    def __init__(
        self,
        images: Tensor,
        labels: Tensor,
        max_value: float,
        value_range: Range,
        shift: int = 0,
        rotate: int = 0,
    ) -> None:
        super().__init__({"image": images, "label": labels.long()})
        self.max_value, self.value_range = max_value, value_range
        self.shift, self.rotate = shift, rotate

    def __getitems__(self, indices: list[int]) -> Batch:
        batch = super().__getitems__(indices)
        images = scaled(batch["image"], self.max_value, self.value_range)
        moves = self.shift or self.rotate
        batch["image"] = self._move_randomly(images) if moves else images
        return batch

    def _move_randomly(self, images: Tensor) -> Tensor:
        """Images [B, C, H, W], each shifted and rotated at random; the edges are filled with black."""
        count, _, height, width = images.shape
        angle = (torch.rand(count) * 2 - 1) * math.radians(self.rotate)
        shifts = torch.randint(-self.shift, self.shift + 1, (count, 2))
        x, y = (shifts * 2 / torch.tensor([width, height])).unbind(1)
        cos, sin = angle.cos(), angle.sin()
        # Coordinates go from -1 to 1 along both sides, so their units differ unless H = W.
        down, across = sin * height / width, sin * width / height
        rows = torch.stack([cos, -down, x, across, cos, y], 1).view(count, 2, 3)
        grid = F.affine_grid(rows, list(images.shape), align_corners=False)
        black = -1.0 if self.value_range == "-1..1" else 0.0
        moved = F.grid_sample(images - black, grid, align_corners=False)
        return moved + black


def images_data(
    train: Mapping[str, Tensor],
    held_out: Mapping[str, Tensor],
    max_value: float,
    classes: list[str],
    options: ImageOptions,
) -> DataSplits:
    """A data set of labelled images; only training images are shifted and rotated.

    Args:
        train, held_out: `images` [N, C, H, W] and `labels` int[N].
        max_value: largest possible value of the images.
        classes: names of the classes.
        options: range, shift and rotation.
    """
    train_examples = LabelledImages(
        train["images"],
        train["labels"],
        max_value,
        options.range,
        options.shift,
        options.rotate,
    )
    held_out_examples = LabelledImages(
        held_out["images"], held_out["labels"], max_value, options.range
    )
    channels, height, width = train["images"].shape[1:]
    facts = DataFacts("images", image=(channels, height, width), classes=len(classes))
    metadata = {"classes": classes, "range": options.range}
    return DataSplits(train_examples, held_out_examples, facts, metadata)


def read_image(path: Path, size: tuple[int, int], channels: int) -> Tensor:
    """Read an image file, resized to a height and width: uint8[channels, H, W]; 1 channel is grey, 3 are RGB.

    Raises:
        OSError, ValueError: if the file is not an image.
    """
    from PIL import Image, ImageOps

    try:
        with Image.open(path, formats=FORMATS) as opened:
            image = ImageOps.exif_transpose(_convertible(opened))
            image = image.convert("L" if channels == 1 else "RGB")
            image = image.resize((size[1], size[0]), Image.Resampling.BILINEAR)
    except (Image.DecompressionBombError, SyntaxError) as error:
        raise ValueError(str(error)) from None
    values = torch.from_numpy(np.array(image))
    return values.view(*size, channels).permute(2, 0, 1).contiguous()


def _convertible(image: Image) -> Image:
    """The image in a mode that converts to grey and RGB correctly."""
    from PIL import Image

    if image.mode.startswith("I"):  # 16 bits, of which Pillow would clip all above 255
        values = np.asarray(image).astype(np.float64) / 257
        return Image.fromarray(values.clip(0, 255).astype(np.uint8))
    return image.convert("RGBA") if image.mode in ("P", "PA") else image
