"""Images as tensors: in memory or in files, the scale of their values, and random changes for training."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import torch
from torch import Tensor

from compiler.tasks.data_facts import DataFacts
from compiler.tasks.image_data import Fit, ImageData
from runtime.data.augment import Augmenter
from runtime.data.dataset import Batch, DataSplits, batch_seed
from runtime.data.open_image import open_image

if TYPE_CHECKING:  # only image files need Pillow
    from PIL.Image import Image

Range = Literal["0..1", "-1..1"]

_LOOKED_AT: Final = 50
"""Number of images whose shapes are looked at."""
_SQUARE: Final = 1.2
"""Ratio of the sides of an image up to which it counts as a square."""
MAX_WORKERS: Final = 4
"""Maximum number of processes that read files."""


_ORIENTATION: Final = 0x0112
"""The tag of EXIF with which way up an image is."""
_TURNED: Final = (5, 6, 7, 8)
"""Its values for images that lie on their side."""


class ImageFiles:
    """Images that are read from their files whenever they are needed: memory does not grow with their number.

    Args:
        files: paths.
        read: reads one: uint8[...], of the same shape for all.
    """

    def __init__(self, files: Sequence[str], read: Callable[[Path], Tensor]) -> None:
        self.files, self._read = list(files), read

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, indices: Tensor) -> Tensor:
        """The images with these indices, stacked."""
        return torch.stack([self._read(Path(self.files[i])) for i in indices.tolist()])

    def tensors(self) -> Iterable[Tensor]:
        """The content of the files, undecoded."""
        yield from map(self.raw, range(len(self.files)))

    def raw(self, index: int) -> Tensor:
        """The content of a file, undecoded."""
        return torch.from_numpy(np.fromfile(self.files[index], dtype=np.uint8))


Pixels = Tensor | ImageFiles
"""Images uint8[N, ...], in memory or in files."""


def pixel_tensors(pixels: Pixels) -> Iterable[Tensor]:
    """The tensors that images are made from."""
    return (pixels,) if isinstance(pixels, Tensor) else pixels.tensors()


@dataclass(frozen=True)
class PixelScale:
    """The scale of an image's values.

    Attributes:
        range: the values of black and white, before normalization.
        mean, std: of each channel of values from 0 to 1; None: values are not normalized.
    """

    range: Range = "0..1"
    mean: Sequence[float] | None = None
    std: Sequence[float] | None = None

    @classmethod
    def of(cls, options: ImageData) -> PixelScale:
        """The scale that a data set declares."""
        found = options.channel_scale
        if found is None:
            return cls(options.range)
        return cls(options.range, list(found.mean), list(found.std))

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, Any]) -> PixelScale:
        """The scale that a run stores."""
        normalize = metadata.get("normalize") or {}
        value_range = metadata.get("range", "0..1")
        return cls(value_range, normalize.get("mean"), normalize.get("std"))

    def metadata(self) -> dict[str, Any]:
        """What a run stores."""
        if self.mean is None:
            return {"range": self.range}
        return {"range": self.range, "normalize": {"mean": self.mean, "std": self.std}}

    def __call__(self, unit: Tensor) -> Tensor:
        """Images [B, C, ...] with values from 0 to 1 on this scale."""
        if self.mean is None or self.std is None:
            return scaled(unit, 1, self.range)
        shape = (1, -1, *[1] * (unit.dim() - 2))
        mean, std = (torch.tensor(v).view(shape) for v in (self.mean, self.std))
        return (unit - mean) / std

    def undone(self, images: Tensor) -> Tensor:
        """Images [B, C, ...] on this scale with values from 0 to 1 again."""
        if self.mean is None or self.std is None:
            return images if self.range == "0..1" else (images + 1) / 2
        shape = (1, -1, *[1] * (images.dim() - 2))
        mean, std = (torch.tensor(v).view(shape) for v in (self.mean, self.std))
        return images.cpu() * std + mean


def scaled(images: Tensor, max_value: float, value_range: Range) -> Tensor:
    """Values from 0 to `max_value` as floats in `value_range`."""
    unit = images.float() / max_value
    return unit if value_range == "0..1" else 2 * unit - 1


class ImageExamples:
    """Images with something about each: batches of `image` float[B, C, H, W] and the other columns.

    Args:
        pixels: values from 0 (black) to `max_value`.
        columns: tensors [N, ...] by role; `boxes`, float[N, objects, 5], move with images that are augmented.
        max_value: largest possible value.
        scale: scale of the values in batches.
        augmenter: random changes; None: none.
        masks: classes of the pixels uint8[N, H, W], 255 to ignore: batches have `mask` int[B, H, W].
        role: `image`, or `video` for pixels [N, C, T, H, W].
    """

    def __init__(
        self,
        pixels: Pixels,
        columns: Mapping[str, Tensor],
        max_value: float,
        scale: PixelScale,
        augmenter: Augmenter | None = None,
        masks: Pixels | None = None,
        role: Literal["image", "video"] = "image",
    ) -> None:
        self.pixels, self.columns, self.masks = pixels, dict(columns), masks
        self.max_value, self.scale = max_value, scale
        self.augmenter, self.role = augmenter, role

    def __len__(self) -> int:
        return len(self.pixels)

    @property
    def workers(self) -> int:
        """Number of processes that should read the examples; 0: none, where they are in memory."""
        held = all(isinstance(one, Tensor | None) for one in (self.pixels, self.masks))
        return 0 if held else min(MAX_WORKERS, len(os.sched_getaffinity(0)))

    def __getitems__(self, indices: list[int]) -> Batch:
        rows, seed = torch.tensor(indices), batch_seed(indices)
        batch = {role: column[rows] for role, column in self.columns.items()}
        unit = self.pixels[rows].float() / self.max_value
        if self.masks is not None:
            mask = self.masks[rows].long()
            mask = torch.where(mask == IGNORED, -1, mask)
            if self.augmenter is not None:
                unit, mask = self.augmenter.with_masks(unit, mask, seed)
            batch = {"mask": mask, **batch}
        elif "boxes" in batch and self.augmenter is not None:
            unit, boxes = self.augmenter.with_boxes(unit, batch["boxes"], seed)
            batch["boxes"] = boxes
        elif self.augmenter is not None:
            change = (
                self.augmenter.videos if self.role == "video" else self.augmenter.images
            )
            unit = change(unit, seed)
        return {self.role: self.scale(unit), **batch}

    def tensors(self) -> Iterable[Tensor]:
        yield from pixel_tensors(self.pixels)
        if self.masks is not None:
            yield from pixel_tensors(self.masks)
        yield from self.columns.values()

    def item(self, index: int) -> Iterable[Tensor]:
        for pixels in (self.pixels, self.masks):
            if pixels is not None:
                yield pixels[index] if isinstance(pixels, Tensor) else pixels.raw(index)
        yield from (column[index] for column in self.columns.values())

    def unchanged(self) -> ImageExamples:
        return ImageExamples(
            self.pixels,
            self.columns,
            self.max_value,
            self.scale,
            masks=self.masks,
            role=self.role,
        )


IGNORED: Final = 255
"""The class of pixels that are neither trained on nor evaluated, as in PASCAL VOC."""


def images_data(
    train: Mapping[str, Any],
    held_out: Mapping[str, Any],
    max_value: float,
    classes: list[str],
    options: ImageData,
    test: Mapping[str, Any] | None = None,
) -> DataSplits:
    """A data set of labelled images or videos; only training images are augmented.

    Args:
        train, held_out, test: `images`, pixels [N, C, H, W] or of videos [N, C, T, H, W], and `labels` int[N].
        max_value: largest possible value of the images.
        classes: names of the classes.
        options: how images are scaled and augmented.
    """
    scale = PixelScale.of(options)
    augmenter = Augmenter(options.augment) if options.augment else None

    def examples(
        part: Mapping[str, Any], augmenter: Augmenter | None = None
    ) -> ImageExamples:
        columns = {"label": part["labels"].long()}
        return ImageExamples(
            part["images"], columns, max_value, scale, augmenter, role=role
        )

    channels, *frames, height, width = train["images"][torch.tensor([0])].shape[1:]
    role: Literal["image", "video"] = "video" if frames else "image"
    facts = DataFacts(
        "videos" if frames else "images",
        image=(channels, height, width),
        frames=frames[0] if frames else None,
        classes=len(classes),
        class_names=tuple(classes),
    )
    metadata = {"classes": classes, **scale.metadata()}
    return DataSplits(
        examples(train, augmenter),
        examples(held_out),
        facts,
        metadata,
        None if test is None else examples(test),
    )


def read_image(
    path: Path | BytesIO, size: tuple[int, int], channels: int, fit: Fit = "stretch"
) -> Tensor:
    """Read an image file, resized to a height and width: uint8[channels, H, W]; 1 channel is grey, 3 are RGB.

    Args:
        path: the file.
        size: height and width.
        channels: 1 or 3.
        fit: how an image of another aspect ratio is resized.

    Raises:
        OSError, ValueError: if the file is not an image.
    """
    with open_image(path) as opened:
        return as_pixels(opened, size, channels, fit)


def as_pixels(
    image: Image, size: tuple[int, int], channels: int, fit: Fit = "stretch"
) -> Tensor:
    """An opened image, or the current frame of an animated one: uint8[channels, H, W]."""
    from PIL import ImageOps

    upright = ImageOps.exif_transpose(_convertible(image))
    coloured = upright.convert("L" if channels == 1 else "RGB")
    values = torch.from_numpy(np.array(resized(coloured, size, fit)))
    return values.view(*size, channels).permute(2, 0, 1).contiguous()


def resized(
    image: Image, size: tuple[int, int], fit: Fit, nearest: bool = False
) -> Image:
    """An image resized to a height and width: bilinear, or by the nearest pixel."""
    from PIL import Image, ImageOps

    target, resampling = (size[1], size[0]), Image.Resampling
    method = resampling.NEAREST if nearest else resampling.BILINEAR
    match fit:
        case "crop":
            return ImageOps.fit(image, target, method)
        case "pad":
            return ImageOps.pad(image, target, method)
    return image.resize(target, method)


def image_size(path: Path | BytesIO) -> tuple[int, int]:
    """Width and height of an image file, from its header.

    Raises:
        OSError, ValueError: if the file is not an image.
    """
    with open_image(path) as opened:
        turned = opened.getexif().get(_ORIENTATION, 1) in _TURNED
        return (opened.height, opened.width) if turned else opened.size


def stretch_notes(files: Sequence[Path], fit: Fit) -> list[str]:
    """That images are stretched, if some of them tell that most of these files are far from squares."""
    some = files[:: max(1, len(files) // _LOOKED_AT)]
    sizes = [image_size(file) for file in some] if fit == "stretch" else []
    long = [one for one in sizes if max(one) > _SQUARE * min(one)]
    if len(long) * 2 <= len(sizes):
        return []
    width, height = long[0]
    shape = f"not squares ({width} x {height})"
    help = "`fit: pad` keeps circles round"
    return [f"most images are {shape}, and are stretched to be: {help}"]


def _convertible(image: Image) -> Image:
    """The image in a mode that converts to grey and RGB correctly."""
    from PIL import Image

    if image.mode.startswith("I"):  # 16 bits, of which Pillow would clip all above 255
        values = np.asarray(image).astype(np.float64) / 257
        return Image.fromarray(values.clip(0, 255).astype(np.uint8))
    return image.convert("RGBA") if image.mode in ("P", "PA") else image
