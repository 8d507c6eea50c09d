"""Images with masks: scenes of digits, and folders of one's own."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from runtime.data.compose_scenes import scenes
from runtime.data.digit_scenes import boxes_of
from runtime.data.mnist import mnist_images
from tests.runtime.data.section import Files, read


def as_png(values: NDArray[np.uint8], mode: str = "") -> bytes:
    """A picture; mode P is a palette image of these indices."""
    buffer = io.BytesIO()
    image = Image.fromarray(values)
    if mode == "P":
        image.putpalette([0, 0, 0, 200, 0, 0, 0, 200, 0] + [0] * 759)
    image.save(buffer, "PNG")
    return buffer.getvalue()


def pair(name: str, mode: str = "", folder: str = "p") -> Files:
    """A grey image whose right half is bright, and its mask."""
    values = np.zeros((6, 10), np.uint8)
    values[:, 5:] = 1
    return {
        f"{folder}/images/{name}.png": as_png(values * 200),
        f"{folder}/masks/{name}.png": as_png(values, mode),
    }


@pytest.mark.parametrize("mode", ["", "P"])
def test_a_folder_of_images_and_masks(mode: str, tmp_path: Path) -> None:
    files = {**pair("a", mode), **pair("b", mode), "p/masks/Thumbs.db": b"x"}
    data = read(
        "{mask_folder: {path: p, size: 8, channels: 1, held_out: 0.5}}", tmp_path, files
    )
    assert (len(data.train), len(data.held_out)) == (1, 1)
    batch = data.held_out.__getitems__([0])
    assert batch["image"].shape == (1, 1, 8, 8) and batch["mask"].shape == (1, 8, 8)
    assert batch["mask"].dtype == torch.int64
    assert batch["mask"][0, 0].tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    assert data.facts.classes == 2 and data.metadata["classes"] == ["0", "1"]


def test_pixels_that_do_not_count_and_parts(tmp_path: Path) -> None:
    void = np.full((6, 10), 255, np.uint8)
    files = {
        **pair("a", folder="p/train"),
        **pair("b", folder="p/val"),
        **pair("c", folder="p/test"),
        "p/val/masks/b.png": as_png(void),
    }
    data = read(
        "{mask_folder: {path: p, size: 8, classes: [no, yes, more]}}", tmp_path, files
    )
    assert data.test is not None and len(data.test) == 1
    assert data.held_out.__getitems__([0])["mask"].unique().tolist() == [-1]
    assert data.metadata["classes"] == ["no", "yes", "more"]


def test_masks_move_with_their_images(tmp_path: Path) -> None:
    """Whatever is drawn, the bright pixels of an image are those of class 1."""
    changes = "[flip, flip_vertical, {rotate: {degrees: 90}}, {shift: {pixels: 3}}, resized_crop]"
    data = read(
        f"{{mask_folder: {{path: p, size: 32, channels: 1, held_out: 0, augment: {changes}}}}}",
        tmp_path,
        pair("a"),
    )
    torch.manual_seed(0)
    batch = data.train.__getitems__([0] * 40)
    image, mask = batch["image"][:, 0], batch["mask"]
    assert set(mask.unique().tolist()) == {-1, 0, 1}
    assert image[mask == -1].mean() < 0.05  # what comes from outside is black
    agrees = (image > 0.4) == (mask == 1)
    assert agrees.float().mean() > 0.95
    assert len({tuple(one.flatten().tolist()) for one in mask}) > 30


def test_scenes_are_the_same_every_time_and_show_their_digits() -> None:
    images, labels = mnist_images()
    one, other = (list(scenes(images[:, 0], labels, 8, 48, 3, 5)) for _ in range(2))
    for (scene, digits), (again, same) in zip(one, other, strict=True):
        assert torch.equal(scene, again)
        assert [digit.box for digit in digits] == [digit.box for digit in same]
        assert 1 <= len(digits) <= 3
        for digit in digits:
            left, top, right, bottom = digit.box
            inside = scene[0, top:bottom, left:right].float() / 255
            square = scene[0, digit.top :, digit.left :][: digit.side, : digit.side]
            ink = square[digit.pixels].float() / 255
            assert ink.min() > 0.17 and inside.max() > 0.4


def test_held_out_scenes_are_of_held_out_digits() -> None:
    data = read("{digit_scenes: {count: 4, held_out: 3}}")
    assert (len(data.train), len(data.held_out)) == (4, 3)
    batch = data.train.__getitems__([0, 1, 2, 3])
    assert batch["image"].shape == (4, 1, 48, 48)
    assert batch["mask"].max() <= 10 and batch["mask"].max() > 0
    boxed = read("{digit_scenes: {form: boxed images, count: 4, held_out: 3}}")
    found = boxed.train.__getitems__([0, 1, 2, 3])
    assert torch.equal(found["image"], batch["image"])
    for mask, boxes in zip(batch["mask"], found["boxes"], strict=True):
        drawn = torch.zeros_like(mask, dtype=torch.bool)
        for left, top, right, bottom, label in boxes[boxes[:, 0] >= 0].long().tolist():
            region = mask[top:bottom, left:right]
            drawn[top:bottom, left:right] = True
            assert (region == label + 1).any(0).all() or (region > 0).any(1).all()
        assert (mask[~drawn] == 0).all()
    assert boxes_of([[]], 2).tolist() == [[[-1] * 5] * 2]
