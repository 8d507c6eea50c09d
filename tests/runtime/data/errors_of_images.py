"""Images that are wrong: IDX files, and folders."""

from __future__ import annotations

import io

from PIL import Image

from tests.runtime.data.error_case import Case
from tests.runtime.data.section import idx

IMAGES = idx((4, 2, 2), bytes(16))
LABELS = idx((4,), bytes([0, 1, 0, 1]))
IDX = "{idx: {images: i, labels: l}}"
FOLDER = "{image_folder: {path: p, size: 4}}"


def png(color: str = "red", mode: str = "RGB", size: tuple[int, int] = (4, 4)) -> bytes:
    """A small image of one colour."""
    out = io.BytesIO()
    Image.new(mode, size, color).save(out, "png")
    return out.getvalue()


CASES = [
    # IDX.
    Case("no labels", IDX, {"i": IMAGES}, "data-not-found", "l"),
    Case("an empty file", IDX, {"i": b"", "l": LABELS}, "data-empty", "i"),
    Case(
        "labels for images",
        IDX,
        {"i": LABELS, "l": LABELS},
        "data-format",
        "i",
        ("not an IDX file of images", "0, 0, 8, 3"),
    ),
    Case(
        "floats",
        IDX,
        {"i": idx((1, 1, 1), bytes(4), kind=13), "l": LABELS},
        "data-format",
        "i",
    ),
    Case("a head cut off", IDX, {"i": IMAGES[:9], "l": LABELS}, "data-format", "i"),
    Case(
        "images cut off",
        IDX,
        {"i": IMAGES[:-1], "l": LABELS},
        "data-format",
        "i",
        ("has 15 values, but its header says 4 × 2 × 2",),
    ),
    Case("too much", IDX, {"i": IMAGES + b"\0", "l": LABELS}, "data-format", "i"),
    Case(
        "more labels than images",
        IDX,
        {"i": IMAGES, "l": idx((5,), bytes(5))},
        "data-mismatch",
        "l",
        ("4 images but 5 labels",),
    ),
    Case(
        "labels out of range",
        "{idx: {images: i, labels: l, classes: 2}}",
        {"i": IMAGES, "l": idx((4,), bytes([0, 1, 0, 7]))},
        "data-label",
        "l",
        ("the label 7 of image 3",),
    ),
    Case(
        "test labels out of range",
        "{idx: {images: i, labels: l, test_images: i, test_labels: m}}",
        {"i": IMAGES, "l": LABELS, "m": idx((4,), bytes([0, 1, 0, 2]))},
        "data-label",
        "m",
    ),
    Case(
        "test images of another size",
        "{idx: {images: i, labels: l, test_images: j, test_labels: l}}",
        {"i": IMAGES, "l": LABELS, "j": idx((4, 2, 3), bytes(24))},
        "data-mismatch",
        "j",
        ("(2, 2)", "(2, 3)"),
    ),
    Case(
        "no images at all",
        IDX,
        {"i": idx((0, 2, 2), b""), "l": LABELS},
        "data-empty",
        "i",
    ),
    Case(
        "images without pixels",
        IDX,
        {"i": idx((4, 0, 2), b""), "l": LABELS},
        "data-empty",
        "i",
    ),
    Case(
        "2 ** 40 images",
        IDX,
        {"i": idx((2**20, 2**10, 2**10), b""), "l": LABELS},
        "data-format",
        "i",
        ("1048576 × 1024 × 1024",),
    ),
    # Folders of images.
    Case("no folder", FOLDER, {}, "data-not-found", "p"),
    Case("a file for a folder", FOLDER, {"p": "a"}, "data-unreadable", "p"),
    Case("a folder without folders", FOLDER, {"p/a.png": png()}, "data-empty", "p"),
    Case(
        "a class without images",
        FOLDER,
        {"p/a/1.png": png(), "p/b/.hidden": ""},
        "data-empty",
        "p",
        ("/b has no images",),
    ),
    Case(
        "a class that training does not have",
        FOLDER,
        {"p/train/a/1.png": png(), "p/train/b/1.png": png(), "p/val/c/1.png": png()},
        "data-label",
        "p",
        ("/val/c is no class of the training data", "a, b"),
    ),
    Case(
        "two ways of holding out",
        "{image_folder: {path: p, size: 4, held_out: 0.5}}",
        {"p/train/a/1.png": png(), "p/val/a/1.png": png()},
        "data-mismatch",
        "0.5",
        ("says what is held out",),
    ),
    Case(
        "a test folder without classes",
        "{image_folder: {path: p, size: 4, test: q}}",
        {"p/a/1.png": png(), "q/b/1.png": png()},
        "data-label",
        "q",
        ("/q/b is no class",),
    ),
    Case(
        "what is no image",
        FOLDER,
        {"p/a/1.png": png(), "p/a/2.png": "no image"},
        "data-unreadable",
        "p",
        ("2.png is not an image",),
    ),
    Case(
        "an image cut off",
        FOLDER,
        {"p/a/1.png": png()[:50]},
        "data-unreadable",
        "p",
        ("1.png is not an image",),
    ),
]


def _mask(size: tuple[int, int], value: int = 0, mode: str = "L") -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, value).save(out, "png")
    return out.getvalue()


MASKS = "{mask_folder: {path: p, size: 4}}"
CASES += [
    Case("no folder of masks", MASKS, {"p/images/a.png": png()}, "data-not-found", "p"),
    Case(
        "a mask of another size",
        MASKS,
        {"p/images/a.png": png(), "p/masks/a.png": _mask((4, 5))},
        "data-mismatch",
        "p",
        ("masks/a.png is 4 x 5", "images/a.png is 4 x 4"),
    ),
    Case(
        "an image without a mask",
        MASKS,
        {
            "p/images/b.png": png(),
            "p/images/a.png": png(),
            "p/masks/a.png": _mask((4, 4)),
        },
        "data-mismatch",
        "p",
        ("the image", "images/b.png has no partner in"),
    ),
    Case(
        "a mask without an image",
        MASKS,
        {"p/images/a.png": png(), "p/masks/a.png": png(), "p/masks/b.png": png()},
        "data-mismatch",
        "p",
        ("the mask", "masks/b.png has no partner in"),
    ),
    Case(
        "a mask of colours",
        MASKS,
        {"p/images/a.png": png(), "p/masks/a.png": png()},
        "data-unreadable",
        "p",
        ("grey or palette image", "RGB"),
    ),
    Case(
        "a class that there is not",
        "{mask_folder: {path: p, size: 4, classes: [none, cat]}}",
        {"p/images/a.png": png(), "p/masks/a.png": _mask((4, 4), 7)},
        "data-label",
        "[none, cat]",
        ("masks/a.png has the class 7, but there are 2 classes",),
    ),
]

VIDEOS = "{video_folder: {path: p, size: 4}}"
CASES += [
    Case(
        "a still image among videos",
        VIDEOS,
        {"p/a/1.png": png()},
        "data-unreadable",
        "p",
        ("1.png is not a video: it has 1 frame",),
    ),
    Case(
        "a folder without frames",
        VIDEOS,
        {"p/a/1/.hidden": ""},
        "data-unreadable",
        "p",
        ("/a/1 is not a video: it has 0 frames",),
    ),
    Case(
        "a frame that is no image",
        VIDEOS,
        {"p/a/1/0.png": png(), "p/a/1/1.png": "text"},
        "data-unreadable",
        "p",
        ("/a/1 is not a video",),
    ),
]

CAPTIONS = "{captioned_images: {path: t, size: 4}}"
CASES += [
    Case(
        "a caption of an image that is not there",
        CAPTIONS,
        {"t": "a.png\ta\nb.png\tb\n", "a.png": png()},
        "data-not-found",
        "t:2:1",
        ("b.png does not exist",),
    ),
    Case(
        "an image without a caption",
        CAPTIONS,
        {"t": "a.png\n", "a.png": png()},
        "data-format",
        "t:1:1",
        ("the caption",),
    ),
    Case(
        "masks of black and white",
        "{mask_folder: {path: p, size: 4}}",
        {
            "p/images/0.png": png(),
            "p/images/1.png": png(),
            "p/masks/0.png": png("white", mode="L"),
            "p/masks/1.png": png("black", mode="L"),
        },
        "data-label",
        "p",
        ("no class but 0", "write white as 1"),
    ),
]
