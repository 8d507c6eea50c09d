"""A folder with one folder of images for each class."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from compiler.tasks.data.image_folder import ImageFolder
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits
from runtime.data.images import images_data, read_image
from runtime.data.split import split_by_class
from runtime.data.user_files import there


def load(options: ImageFolder, section: DataSection) -> DataSplits:
    """The images, a share of each class held out; the names of the folders are those of the classes.

    Raises:
        SpecError: where the folder is not there, has no folders, or these hold what is no image.
    """
    path = there(section, "path", options.path)
    if not path.is_dir():
        section.fail("data-unreadable", f"{path} is not a folder", "path")
    folders = [one for one in _visible(section, path) if one.is_dir()]
    if not folders:
        message = f"{path} has no folders"
        help = "each class has a folder of its own, with its images"
        section.fail("data-empty", message, "path", help=help)
    images: list[Tensor] = []
    labels: list[int] = []
    for label, folder in enumerate(folders):
        found = _images(section, folder, options)
        images += found
        labels += [label] * len(found)
    every = {"images": torch.stack(images), "labels": torch.tensor(labels)}
    train, held = (
        {name: rows[part] for name, rows in every.items()}
        for part in split_by_class(every["labels"], options.held_out)
    )
    return images_data(train, held, 255, [folder.name for folder in folders], options)


def _images(section: DataSection, folder: Path, options: ImageFolder) -> list[Tensor]:
    files = [one for one in _visible(section, folder) if not one.is_dir()]
    if not files:
        section.fail("data-empty", f"the folder {folder} has no images", "path")
    return [_image(section, file, options) for file in files]


def _image(section: DataSection, file: Path, options: ImageFolder) -> Tensor:
    try:
        if not file.is_file():
            raise ValueError("it is not a regular file")
        return read_image(file, (options.size, options.size), options.channels)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        section.fail("data-unreadable", f"{file} is no image: {reason}", "path")


def _visible(section: DataSection, folder: Path) -> list[Path]:
    """What a folder holds, by name, without what is hidden."""
    try:
        return sorted(one for one in folder.iterdir() if one.name[0] != ".")
    except OSError as error:
        message = f"{folder} cannot be read: {error.strerror}"
        section.fail("data-unreadable", message, "path")
