"""A folder with one folder of images for each class, as for `torchvision.datasets.ImageFolder`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from compiler.tasks.data.image_folder import ImageFolder
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits
from runtime.data.images import images_data, read_image
from runtime.data.split import split_by_class
from runtime.data.user_files import existing_path

FILE_MANAGER: Final = frozenset({"thumbs.db", "desktop.ini"})
"""Files that Windows adds to folders of images, in lower case."""


def load(options: ImageFolder, section: DataSection) -> DataSplits:
    """The images, a fraction of each class held out; classes have the names of their folders.

    Raises:
        SpecError: if the folder does not exist, has no folders, or a file in them is not an image.
    """
    path = existing_path(section, "path", options.path)
    if not path.is_dir():
        section.fail("data-unreadable", f"{path} is not a folder", "path")
    folders = [entry for entry in _entries(section, path) if entry.is_dir()]
    if not folders:
        message = f"{path} has no folders"
        help = "the images of each class must be in a folder of their own"
        section.fail("data-empty", message, "path", help=help)
    images: list[Tensor] = []
    labels: list[int] = []
    for label, folder in enumerate(folders):
        of_class = _read_images(section, folder, options)
        images += of_class
        labels += [label] * len(of_class)
    columns = {"images": torch.stack(images), "labels": torch.tensor(labels)}
    train, held_out = (
        {name: rows[indices] for name, rows in columns.items()}
        for indices in split_by_class(columns["labels"], options)
    )
    classes = [folder.name for folder in folders]
    return images_data(train, held_out, 255, classes, options)


def _read_images(
    section: DataSection, folder: Path, options: ImageFolder
) -> list[Tensor]:
    files = [entry for entry in _entries(section, folder) if not entry.is_dir()]
    if not files:
        section.fail("data-empty", f"the folder {folder} has no images", "path")
    return [_read_image(section, file, options) for file in files]


def _read_image(section: DataSection, file: Path, options: ImageFolder) -> Tensor:
    try:
        if not file.is_file():
            raise ValueError("it is not a regular file")
        return read_image(file, (options.size, options.size), options.channels)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        section.fail("data-unreadable", f"{file} is not an image: {reason}", "path")


def _entries(section: DataSection, folder: Path) -> list[Path]:
    """The entries of a folder that are not hidden or of a file manager, sorted by name."""
    try:
        return sorted(
            entry
            for entry in folder.iterdir()
            if entry.name[0] != "." and entry.name.lower() not in FILE_MANAGER
        )
    except OSError as error:
        message = f"{folder} cannot be read: {error.strerror}"
        section.fail("data-unreadable", message, "path")
