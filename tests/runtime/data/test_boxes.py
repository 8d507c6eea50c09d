"""Images with boxes: JSON files as COCO's, and boxes that move with augmented images."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tests.runtime.data.section import Files, read

DATA = "{box_folder: {path: b.json, size: 20, channels: 1, held_out: 0.5}}"


def picture(left: int, top: int, right: int, bottom: int) -> bytes:
    """A grey image of 40 by 20 with a bright rectangle."""
    values = np.zeros((20, 40), np.uint8)
    values[top:bottom, left:right] = 255
    out = io.BytesIO()
    Image.fromarray(values).save(out, "png")
    return out.getvalue()


def coco(**changes: Any) -> str:
    """Two images with a box each, one of them partly outside of its image."""
    content = {
        "info": {"year": 2014},
        "images": [
            {"id": 7, "file_name": "a.png", "width": 40, "height": 20},
            {"id": 9, "file_name": "a.png"},
        ],
        "annotations": [
            {"image_id": 7, "category_id": 3, "bbox": [8, 4, 12, 10], "area": 120},
            {"image_id": 9, "category_id": 1, "bbox": [30, 10, 20.0, 20.0]},
            {"image_id": 9, "category_id": 3, "bbox": [1, 1, 5, 5], "iscrowd": 1},
        ],
        "categories": [{"id": 3, "name": "cat"}, {"id": 1, "name": "ant"}],
    }
    return json.dumps(content | changes)


FILES: Files = {"b.json": coco(), "a.png": picture(8, 4, 20, 14)}


def test_a_file_of_boxes(tmp_path: Path) -> None:
    data = read(DATA, tmp_path, FILES)
    assert data.metadata["classes"] == ["ant", "cat"] and data.facts.classes == 2
    batches = [part.__getitems__([0]) for part in (data.train, data.held_out)]
    assert batches[0]["image"].shape == (1, 1, 20, 20)
    found = sorted(batch["boxes"][0].tolist() for batch in batches)
    # 40 by 20 becomes 20 by 20; crowds are left out, and what is outside of the image.
    assert found == [[[4, 4, 10, 14, 1]], [[15, 10, 20, 20, 0]]]


def test_classes_parts_and_a_folder_of_images(tmp_path: Path) -> None:
    files = {"b.json": coco(), "v.json": coco(), "p/a.png": FILES["a.png"]}
    data = read(
        "{box_folder: {path: b.json, validation: v.json, images: p, size: 20, fit: pad, classes: [cat]}}",
        tmp_path,
        files,
    )
    assert (len(data.train), len(data.held_out)) == (2, 2)
    boxes = data.held_out.__getitems__([0, 1])["boxes"]
    # Padded, 40 by 20 is 20 by 10 in the middle.
    assert boxes[0].tolist() == [[4, 7, 10, 12, 0]] and (boxes[1] == -1).all()
    assert data.train.__getitems__([0])["image"].shape == (1, 3, 20, 20)


@pytest.mark.parametrize(
    ("content", "code", "message"),
    [
        ("{", "data-format", "invalid JSON"),
        ("[" * 100_000, "data-format", "is nested too deeply"),
        ("9" * 5_000, "data-format", "a number of too many digits"),
        ("[]", "data-format", "not of the form of COCO: the file"),
        (coco(images=[{"id": 1}]), "data-format", "images.0.file_name"),
        (coco(annotations=[{"image_id": 7}]), "data-format", "annotations.0"),
        (coco(images=[]), "data-empty", "has no images"),
        (coco(categories=[]), "data-empty", "has no categories"),
        (
            coco(categories=[{"id": 1, "name": "ant"}]),
            "data-mismatch",
            "no category of annotation 0",
        ),
        (
            coco(images=[{"id": 7, "file_name": "a.png"}]),
            "data-mismatch",
            "no image of annotation 1",
        ),
        (
            coco(images=[{"id": 7, "file_name": "a.png"}] * 2, annotations=[]),
            "data-format",
            "two images of the same id",
        ),
        (
            coco(annotations=[{"image_id": 7, "category_id": 3, "bbox": [1, 2, 0, 4]}]),
            "data-format",
            "the box of annotation 0",
        ),
        (
            coco(
                annotations=[
                    {"image_id": 7, "category_id": 3, "bbox": [1e300, 2, 3, 4]}
                ]
            ),
            "data-format",
            "the box of annotation 0",
        ),
        (
            coco(images=[{"id": 7, "file_name": "../a.png"}], annotations=[]),
            "data-not-found",
            "../a.png is not in",
        ),
        (
            coco(images=[{"id": 7, "file_name": "b.json"}], annotations=[]),
            "data-unreadable",
            "is not an image",
        ),
    ],
)
def test_files_that_are_wrong(
    content: str, code: str, message: str, tmp_path: Path
) -> None:
    from compiler.diagnostics.diagnostic import SpecError

    folder = tmp_path / "in"
    (tmp_path / "a.png").write_bytes(picture(0, 0, 4, 4))
    with pytest.raises(SpecError) as caught:
        read(DATA, folder, {**FILES, "b.json": content})
    (one,) = caught.value.diagnostics
    assert one.code == code and message in one.message


def test_an_unknown_class(tmp_path: Path) -> None:
    from compiler.diagnostics.diagnostic import SpecError

    with pytest.raises(SpecError, match="no category dog"):
        read("{box_folder: {path: b.json, size: 20, classes: [dog]}}", tmp_path, FILES)


def test_boxes_move_with_augmented_images(tmp_path: Path) -> None:
    """Whatever is drawn, a bright rectangle stays in its box, which does not become much larger."""
    files = {"b.json": coco(), "a.png": picture(8, 4, 20, 14)}
    one = json.loads(files["b.json"])
    one["images"], one["annotations"] = one["images"][:1], one["annotations"][:1]
    files["b.json"] = json.dumps(one)
    changes = "[flip, flip_vertical, {shift: {pixels: 3}}, resized_crop]"
    data = read(
        f"{{box_folder: {{path: b.json, size: 40, channels: 1, held_out: 0, augment: {changes}}}}}",
        tmp_path,
        files,
    )
    torch.manual_seed(0)
    batch = data.train.__getitems__([0] * 60)
    seen = set()
    for image, rows in zip(batch["image"][:, 0], batch["boxes"], strict=True):
        (row,) = rows.tolist()
        if row[4] < 0:
            assert (image > 0.5).float().mean() < 0.1
            continue
        ys, xs = torch.where(image > 0.5)
        drawn = [int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1]
        assert row[:4] == pytest.approx(drawn, abs=2) and row[4] == 1
        seen.add(tuple(drawn))
    assert len(seen) > 30
