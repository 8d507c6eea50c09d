"""A folder with one folder of images for each class, as for `torchvision.datasets.ImageFolder`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from compiler.tasks.data.image_folder import ImageFolder
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits
from runtime.data.folders import (
    class_files,
    class_names,
    part_folders,
    pixels,
    reported,
    split_files,
)
from runtime.data.images import images_data, read_image, stretch_notes


def load(options: ImageFolder, section: DataSection) -> DataSplits:
    """The images; classes have the names of their folders.

    Raises:
        SpecError: if a folder does not exist, has no folders, or a file in them is not an image.
    """
    folders = part_folders(options, section)
    classes = class_names(section, folders["path"])
    found = {
        name: class_files(
            section, folder, name if getattr(options, name) else "path", classes
        )
        for name, folder in folders.items()
    }

    def read(path: Path) -> Tensor:
        size = (options.size, options.size)
        return reported(
            section, path, lambda: read_image(path, size, options.channels, options.fit)
        )

    size = options.channels * options.size**2
    parts = {
        name: {"images": pixels(section, part.files, read, size), "labels": part.labels}
        for name, part in split_files(found, options).items()
    }
    columns = {
        name: {**part, "labels": torch.tensor(part["labels"], dtype=torch.int64)}
        for name, part in parts.items()
    }
    train, held_out, test = (columns.get(n) for n in ("train", "validation", "test"))
    assert train is not None and held_out is not None
    data = images_data(train, held_out, 255, classes, options, test)
    notes = stretch_notes(found["path"].files, options.fit)
    return replace(data, notes=notes)
