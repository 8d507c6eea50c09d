"""Videos: moving digits, and folders of one's own."""

from __future__ import annotations

import io
import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from compiler.tasks.data.moving_digits import DIRECTIONS
from runtime.data.read_video import read_video
from tests.runtime.data.section import Files, read


def frame(level: int) -> Image.Image:
    return Image.fromarray(np.full((6, 6), level, np.uint8))


def animation(levels: list[int], format: str = "GIF") -> bytes:
    """An animated image whose frames are of these grey levels."""
    buffer = io.BytesIO()
    first, *others = map(frame, levels)
    options = {"lossless": True} if format == "WEBP" else {}
    first.save(buffer, format, save_all=True, append_images=others, **options)
    return buffer.getvalue()


def png(level: int) -> bytes:
    buffer = io.BytesIO()
    frame(level).save(buffer, "PNG")
    return buffer.getvalue()


LEVELS = [10, 60, 110, 160, 210]


@pytest.mark.parametrize("format", ["GIF", "PNG", "WEBP"])
def test_animated_images(format: str, tmp_path: Path) -> None:
    file = tmp_path / f"a.{format.lower()}"
    file.write_bytes(animation(LEVELS, format))
    video = read_video(file, 3, (4, 4), 1)
    assert video.shape == (1, 3, 4, 4) and video.dtype == torch.uint8
    assert video[0, :, 0, 0].tolist() == pytest.approx([10, 110, 210], abs=2)
    longer = read_video(file, 9, (4, 4), 3)
    assert longer.shape == (3, 9, 4, 4)
    assert longer[0, :, 0, 0].tolist() == sorted(longer[0, :, 0, 0].tolist())


def test_folders_of_frames(tmp_path: Path) -> None:
    for number, level in enumerate(LEVELS):
        (tmp_path / f"{number:02}.png").write_bytes(png(level))
    video = read_video(tmp_path, 5, (4, 4), 1)
    assert video[0, :, 0, 0].tolist() == LEVELS


def test_a_folder_of_videos(tmp_path: Path) -> None:
    files: Files = {
        **{f"p/up/{i}.gif": animation(LEVELS) for i in range(4)},
        **{
            f"p/down/{i}/{number}.png": png(level)
            for i in range(4)
            for number, level in enumerate(reversed(LEVELS))
        },
    }
    data = read(
        "{video_folder: {path: p, size: 4, frames: 3, channels: 1, held_out: 0.25}}",
        tmp_path,
        files,
    )
    assert (len(data.train), len(data.held_out)) == (6, 2)
    assert data.metadata["classes"] == ["down", "up"]
    assert (data.facts.frames, data.facts.image) == (3, (1, 4, 4))
    batch = data.held_out.__getitems__([0, 1])
    assert batch["video"].shape == (2, 1, 3, 4, 4)
    rises = batch["video"][:, 0, -1, 0, 0] > batch["video"][:, 0, 0, 0, 0]
    assert rises.tolist() == (batch["label"] == 1).tolist()


def test_frames_of_a_video_are_augmented_alike() -> None:
    data = read(
        "{moving_digits: {size: 16, count: 40, held_out: 8, frames: 4, augment: [flip, {rotate: {degrees: 90}}]}}"
    )
    plain = read("{moving_digits: {size: 16, count: 40, held_out: 8, frames: 4}}")
    torch.manual_seed(0)
    changed = data.train.__getitems__(list(range(40)))["video"]
    still = plain.train.__getitems__(list(range(40)))["video"]
    assert not torch.allclose(changed, still, atol=0.1)
    examples = data.train
    examples.pixels = examples.pixels[:, :, :1].repeat(1, 1, 4, 1, 1)  # type: ignore[attr-defined]
    held = examples.__getitems__(list(range(40)))["video"]
    assert torch.allclose(held, held[:, :, :1].expand_as(held), atol=1e-6)


def test_digits_move_in_the_direction_of_their_label() -> None:
    data = read("{moving_digits: {size: 32, count: 80, held_out: 8, frames: 8}}")
    batch = data.train.__getitems__(list(range(80)))
    moves = {
        "right": (0, 1),
        "down right": (1, 1),
        "down": (1, 0),
        "down left": (1, -1),
        "left": (0, -1),
        "up left": (-1, -1),
        "up": (-1, 0),
        "up right": (-1, 1),
    }
    assert list(moves) == list(DIRECTIONS)
    for video, label in zip(batch["video"][:, 0], batch["label"].tolist(), strict=True):
        ink = (video > 0.3).float()
        rows, columns = moves[DIRECTIONS[label]]
        # The last frame is the first one, shifted (around the edges) towards the direction.
        shifts = itertools.product(range(-12, 13), repeat=2)
        overlap = {
            shift: float((ink[0].roll(shift, (0, 1)) * ink[-1]).sum())
            for shift in shifts
        }
        best = max(overlap, key=lambda shift: overlap[shift])
        assert np.sign(best).tolist() == [rows, columns]


def test_no_frame_alone_tells_the_direction() -> None:
    """The mean of any frame is the same for all directions, up to chance."""
    data = read("{moving_digits: {size: 16, count: 4000, held_out: 8, frames: 3}}")
    batch = data.train.__getitems__(list(range(4000)))
    means = torch.stack(
        [batch["video"][batch["label"] == label].mean((0, 1)) for label in range(8)]
    )
    assert (means - means.mean(0)).abs().max() < 0.1
