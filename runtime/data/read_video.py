"""Read a video: an animated image, or a folder of frames."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from compiler.tasks.image_data import Fit
from runtime.data.images import as_pixels, image_size, read_image
from runtime.data.open_image import open_image

MAX_FRAMES: Final = 10_000
"""Maximum number of frames of an animated image."""


def read_video(
    path: Path, frames: int, size: tuple[int, int], channels: int, fit: Fit = "stretch"
) -> Tensor:
    """Read a video: uint8[channels, frames, H, W].

    Args:
        path: an animated GIF, PNG or WebP, or a folder of images.
        frames: number of frames, evenly chosen; of fewer, some are repeated.
        size: height and width.
        channels: 1 or 3.
        fit: how a frame of another aspect ratio is resized.

    Raises:
        OSError, ValueError: if it is not a video.
    """
    if path.is_dir():
        files = frame_files(path)
        chosen = {
            i: read_image(files[i], size, channels, fit)
            for i in _chosen(len(files), frames)
        }
        return torch.stack([chosen[i] for i in _chosen(len(files), frames)], 1)
    return _read_animation(path, frames, size, channels, fit)


def check_video(path: Path) -> None:
    """Check the header of a video.

    Raises:
        OSError, ValueError: if it is not one.
    """
    image_size(frame_files(path)[0] if path.is_dir() else path)


def frame_files(folder: Path) -> list[Path]:
    """The frames in a folder, sorted by name.

    Raises:
        ValueError: if there are fewer than two.
    """
    files = sorted(
        one for one in folder.iterdir() if one.name[0] != "." and one.is_file()
    )
    _check_count(len(files))
    return files


def _check_count(count: int) -> None:
    if count < 2:
        raise ValueError(f"it has {count} frame{'s' * (count != 1)}, not several")
    if count > MAX_FRAMES:
        raise ValueError(f"it has {count} frames, more than {MAX_FRAMES}")


def _chosen(count: int, frames: int) -> list[int]:
    """The indices of `frames` of `count` frames, the first and the last included."""
    return [round(i * (count - 1) / max(frames - 1, 1)) for i in range(frames)]


def _read_animation(
    path: Path, frames: int, size: tuple[int, int], channels: int, fit: Fit
) -> Tensor:
    with open_image(path) as opened:
        count = getattr(opened, "n_frames", 1)
        _check_count(count)
        chosen = _chosen(count, frames)
        found = {}
        for index in dict.fromkeys(chosen):
            opened.seek(index)
            found[index] = as_pixels(opened, size, channels, fit)
    return torch.stack([found[index] for index in chosen], 1)
