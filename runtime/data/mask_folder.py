"""Folders of images, and of masks with the same names."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from compiler.tasks.data.mask_folder import MaskFolder
from runtime.data.augment import Augmenter
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits
from runtime.data.folders import (
    ClassFiles,
    entries,
    part_folders,
    pixels,
    reported,
    split_files,
)
from runtime.data.images import (
    IGNORED,
    ImageExamples,
    PixelScale,
    image_size,
    read_image,
    resized,
    stretch_notes,
)
from runtime.data.open_image import open_image

if TYPE_CHECKING:  # only image files need Pillow
    from PIL.Image import Image

IMAGES: Final = "images"
MASKS: Final = "masks"
_WIDE: Final = ("I", "I;16", "I;16L", "I;16B")
"""Pillow's names of grey images with more than 8 bits."""


def load(options: MaskFolder, section: DataSection) -> DataSplits:
    """The images with their masks.

    Raises:
        SpecError: if a folder or a mask is missing, a file is not an image, or a mask does not fit its image.
    """
    reader = MaskReader(options, section)
    folders = part_folders(options, section)
    found = {name: reader.pairs(folder) for name, folder in folders.items()}
    parts = split_files(found, options)
    largest = max(reader.check(*pair) for pair in reader.masks.items())
    if not largest:
        message = (
            f"the masks have no class but 0; {IGNORED} are pixels that do not count"
        )
        help = "in masks of two classes, write white as 1"
        section.fail("data-label", message, "path", help=help)
    classes = list(options.classes) or list(map(str, range(largest + 1)))
    scale = PixelScale.of(options)
    augmenter = Augmenter(options.augment) if options.augment else None

    def examples(name: str) -> ImageExamples:
        files, size = parts[name].files, options.size**2
        images = pixels(section, files, reader.image, options.channels * size)
        mask_files = [reader.masks[file] for file in files]
        masks = pixels(section, mask_files, reader.mask, size)
        change = augmenter if name == "train" else None
        return ImageExamples(images, {}, 255, scale, change, masks)

    return DataSplits(
        examples("train"),
        examples("validation"),
        replace(options.facts(), classes=len(classes)),
        {"classes": classes, **scale.metadata()},
        examples("test") if "test" in parts else None,
        notes=stretch_notes(parts["train"].files, options.fit),
    )


@dataclass(frozen=True)
class MaskReader:
    """Reads images and masks, and checks that they belong together.

    Attributes:
        options, section: the data set, and where its errors are reported.
        masks: the mask of each image.
    """

    options: MaskFolder
    section: DataSection
    masks: dict[Path, Path] = field(default_factory=dict)

    def pairs(self, folder: Path) -> ClassFiles:
        """The images of a folder with the folders `images` and `masks`.

        Raises:
            SpecError: if one of them is missing or empty, or a file has no partner.
        """
        images, masks = (self._files(folder / name) for name in (IMAGES, MASKS))
        alone = sorted(images.keys() ^ masks.keys())
        if alone:
            file, other = (images | masks)[alone[0]], MASKS
            what, other = ("image", MASKS) if alone[0] in images else ("mask", IMAGES)
            message = f"the {what} {file} has no partner in {folder / other}"
            help = "an image and its mask have the same name, without the suffix"
            self.section.fail("data-mismatch", message, "path", help=help)
        self.masks.update({file: masks[stem] for stem, file in images.items()})
        files = list(images.values())
        return ClassFiles(files, [0] * len(files))

    def _files(self, folder: Path) -> dict[str, Path]:
        """The files of a folder by their names without suffix."""
        if not folder.is_dir():
            help = f"a folder {IMAGES} and a folder {MASKS} are needed"
            message = f"{folder} does not exist"
            self.section.fail("data-not-found", message, "path", help=help)
        found = entries(self.section, folder, "path")
        files = {one.stem: one for one in found if not one.is_dir()}
        if not files:
            self._fail("data-empty", f"the folder {folder} has no images")
        return files

    def check(self, image: Path, mask: Path) -> int:
        """The largest class in the mask of an image.

        Raises:
            SpecError: if the mask has another size, or a class that there is not.
        """
        size = reported(self.section, image, lambda: image_size(image))
        values = reported(self.section, mask, lambda: _classes(mask))
        mask_size = (values.shape[1], values.shape[0])
        if size != mask_size:
            theirs, own = (f"{width} x {height}" for width, height in (size, mask_size))
            message = f"{mask} is {own}, but its image {image} is {theirs}"
            self._fail("data-mismatch", message)
        known = values[values != IGNORED]
        largest = int(known.max()) if known.size else 0
        count = len(self.options.classes) or IGNORED
        if largest >= count:
            message = f"{mask} has the class {largest}, but there are {count} classes"
            option = "classes" if self.options.classes else "path"
            help = f"classes are numbers from 0; {IGNORED} are pixels that do not count"
            self.section.fail("data-label", message, option, help=help)
        return largest

    def image(self, file: Path) -> Tensor:
        """An image uint8[C, size, size]."""
        size, options = (self.options.size, self.options.size), self.options
        return reported(
            self.section,
            file,
            lambda: read_image(file, size, options.channels, options.fit),
        )

    def mask(self, file: Path) -> Tensor:
        """A mask uint8[size, size]."""
        return reported(self.section, file, lambda: self._mask(file))

    def _mask(self, file: Path) -> Tensor:
        from PIL import Image

        size = (self.options.size, self.options.size)
        classes = Image.fromarray(_classes(file).astype(np.uint8))
        return torch.from_numpy(
            np.array(resized(classes, size, self.options.fit, True))
        )

    def _fail(self, code: str, message: str) -> NoReturn:
        self.section.fail(code, message, "path")


def _classes(file: Path) -> NDArray[np.int64]:
    """The value of each pixel of a mask [H, W].

    Raises:
        OSError, ValueError: if it is not an image with one value for each pixel.
    """
    from PIL import ImageOps

    with open_image(file) as opened:
        return _values(ImageOps.exif_transpose(opened))


def _values(image: Image) -> NDArray[np.int64]:
    if image.mode not in ("P", "L", "1", *_WIDE):
        message = "a mask has the number of a class for each pixel (a grey or palette image), but its mode is"
        raise ValueError(f"{message} {image.mode}")
    return np.asarray(image).astype(np.int64)
