"""Images as tensors: files, values, and small moves for training."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from compiler.tasks.data_facts import DataFacts
from runtime.data.dataset import Batch, DataSplits, TensorExamples

if TYPE_CHECKING:  # most images come without it
    from PIL.Image import Image

Range = Literal["0..1", "-1..1"]


class ImageOptions(Protocol):
    """What the options of all images have."""

    @property
    def shift(self) -> int: ...

    @property
    def rotate(self) -> int: ...

    @property
    def range(self) -> Range: ...


def scaled(images: Tensor, most: float, to: Range) -> Tensor:
    """Values from 0 to `most` as floats from 0 or -1 to 1."""
    unit = images.float() / most
    return unit if to == "0..1" else 2 * unit - 1


class LabelledImages(TensorExamples):
    """Images with labels: `image` float[B, C, H, W] and `label` int[B].

    Args:
        images: [N, C, H, W], values from 0 (black) to `most`; they are scaled when they are fetched.
        labels: int[N].
        shift, rotate: images move by up to so many pixels and degrees each way, each time anew.
    """

    def __init__(
        self,
        images: Tensor,
        labels: Tensor,
        most: float,
        to: Range,
        shift: int = 0,
        rotate: int = 0,
    ) -> None:
        super().__init__({"image": images, "label": labels.long()})
        self.most, self.to, self.shift, self.rotate = most, to, shift, rotate

    def __getitems__(self, indices: list[int]) -> Batch:
        batch = super().__getitems__(indices)
        images = scaled(batch["image"], self.most, self.to)
        moves = self.shift or self.rotate
        batch["image"] = self._moved(images) if moves else images
        return batch

    def _moved(self, images: Tensor) -> Tensor:
        """Images [B, C, H, W], each by a shift and an angle of its own; black comes in at the edges."""
        count, _, height, width = images.shape
        angle = (torch.rand(count) * 2 - 1) * math.radians(self.rotate)
        moves = torch.randint(-self.shift, self.shift + 1, (count, 2))
        x, y = (moves * 2 / torch.tensor([width, height])).unbind(1)
        cos, sin = angle.cos(), angle.sin()
        # Places go from -1 to 1 along both sides, so on an oblong image units differ.
        down, across = sin * height / width, sin * width / height
        rows = torch.stack([cos, -down, x, across, cos, y], 1).view(count, 2, 3)
        grid = F.affine_grid(rows, list(images.shape), align_corners=False)
        black = -1.0 if self.to == "-1..1" else 0.0
        moved = F.grid_sample(images - black, grid, align_corners=False)
        return moved + black


def images_data(
    train: Mapping[str, Tensor],
    held_out: Mapping[str, Tensor],
    most: float,
    classes: list[str],
    options: ImageOptions,
) -> DataSplits:
    """Images with labels as data; both parts have `images` [N, C, H, W] and `labels` [N]."""
    to, shift, rotate = options.range, options.shift, options.rotate
    learned = LabelledImages(train["images"], train["labels"], most, to, shift, rotate)
    judged = LabelledImages(held_out["images"], held_out["labels"], most, to)
    channels, height, width = train["images"].shape[1:]
    facts = DataFacts("images", image=(channels, height, width), classes=len(classes))
    return DataSplits(
        learned, judged, facts, {"classes": classes, "range": options.range}
    )


def read_image(path: Path, size: tuple[int, int], channels: int) -> Tensor:
    """An image file, brought to a height and width: uint8[channels, H, W] from 0 to 255; 1 channel is grey, 3 colour.

    Raises:
        OSError, ValueError: where the file is no image.
    """
    from PIL import Image, ImageOps

    try:
        with Image.open(path) as opened:
            image = ImageOps.exif_transpose(_plain(opened))
            image = image.convert("L" if channels == 1 else "RGB")
            image = image.resize((size[1], size[0]), Image.Resampling.BILINEAR)
    except (Image.DecompressionBombError, SyntaxError) as error:
        raise ValueError(str(error)) from None
    values = torch.from_numpy(np.array(image))
    return values.view(*size, channels).permute(2, 0, 1).contiguous()


def _plain(image: Image) -> Image:
    """The image in a mode that converts to grey and to colour without loss of its meaning."""
    from PIL import Image

    if image.mode.startswith("I"):  # 16 bits: to convert would cut off all above 255
        values = np.asarray(image).astype(np.float64) / 257
        return Image.fromarray(values.clip(0, 255).astype(np.uint8))
    return image.convert("RGBA") if image.mode in ("P", "PA") else image
