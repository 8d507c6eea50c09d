"""A folder with one folder of videos for each class."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from compiler.tasks.data.video_folder import VideoFolder
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits
from runtime.data.folders import (
    class_files,
    class_names,
    part_folders,
    pixels,
    reported_as,
    split_files,
)
from runtime.data.images import images_data
from runtime.data.read_video import check_video, read_video


def load(options: VideoFolder, section: DataSection) -> DataSplits:
    """The videos; classes have the names of their folders.

    Raises:
        SpecError: if a folder does not exist, has no folders, or something in them is not a video.
    """
    folders = part_folders(options, section)
    classes = class_names(section, folders["path"])
    found = {
        name: class_files(
            section,
            folder,
            name if getattr(options, name) else "path",
            classes,
            folders=True,
        )
        for name, folder in folders.items()
    }
    size, frames, channels = options.size, options.frames, options.channels

    def read(path: Path) -> Tensor:
        return reported_as(
            "a video",
            section,
            path,
            lambda: read_video(path, frames, (size, size), channels, options.fit),
        )

    def check(path: Path) -> None:
        reported_as("a video", section, path, lambda: check_video(path))

    parts = {
        name: {
            "images": pixels(
                section, part.files, read, channels * frames * size**2, check
            ),
            "labels": torch.tensor(part.labels, dtype=torch.int64),
        }
        for name, part in split_files(found, options).items()
    }
    train, held_out = parts["train"], parts["validation"]
    return images_data(train, held_out, 255, classes, options, parts.get("test"))
