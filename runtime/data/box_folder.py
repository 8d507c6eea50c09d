"""Images with boxes in a JSON file as COCO's (Lin et al., 2014)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import NoReturn

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor

from compiler.diagnostics.text import listed, shorten
from compiler.tasks.data.box_folder import BoxFolder
from runtime.data.augment import Augmenter
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits
from runtime.data.fit_boxes import Size, boxes_in_input
from runtime.data.folders import pixels, reported
from runtime.data.images import (
    ImageExamples,
    PixelScale,
    image_size,
    read_image,
    stretch_notes,
)
from runtime.data.split import split_by_class
from runtime.data.user_files import existing_path, read_json


class _Entry(BaseModel):
    """An object of the file; keys that are not used may be anything."""

    model_config = ConfigDict(extra="ignore", strict=True)


class _Image(_Entry):
    id: int | str
    file_name: str = Field(min_length=1)


class _Box(_Entry):
    image_id: int | str
    category_id: int
    bbox: list[float] = Field(min_length=4, max_length=4)
    iscrowd: int = 0


class _Category(_Entry):
    id: int
    name: str


class _File(_Entry):
    images: list[_Image]
    annotations: list[_Box]
    categories: list[_Category]


@dataclass(frozen=True)
class _Annotated:
    """The images of a file.

    Attributes:
        files: their paths.
        sizes: width and height of each.
        boxes: of each, left, top, right, bottom and class [N, 5], in pixels of the file.
    """

    files: Sequence[Path]
    sizes: Sequence[Size]
    boxes: Sequence[Tensor]


def load(options: BoxFolder, section: DataSection) -> DataSplits:
    """The images with their boxes; a fraction of the images is held out, or those of a second file.

    Raises:
        SpecError: if a file is not JSON of that form, an image does not exist, or is not an image.
    """
    contents = {
        name: _content(section, name, written)
        for name in ("path", "validation", "test")
        if (written := getattr(options, name)) is not None
    }
    classes = _classes(options, section, contents["path"])
    parts = {
        name: _part(options, section, name, content, classes)
        for name, content in contents.items()
    }
    whole = parts.pop("path")
    if "validation" not in parts:
        rows = split_by_class(torch.zeros(len(whole.files)), options)
        whole, parts["validation"] = (_some(whole, part.tolist()) for part in rows)
    most = max(
        1, *(len(one) for part in (whole, *parts.values()) for one in part.boxes)
    )
    scale = PixelScale.of(options)
    augmenter = Augmenter(options.augment) if options.augment else None

    def examples(part: _Annotated, change: Augmenter | None = None) -> ImageExamples:
        return _examples(options, section, part, most, scale, change)

    return DataSplits(
        examples(whole, augmenter),
        examples(parts["validation"]),
        replace(options.facts(), classes=len(classes)),
        {"classes": classes, **scale.metadata()},
        examples(parts["test"]) if "test" in parts else None,
        notes=stretch_notes(whole.files, options.fit),
    )


def _examples(
    options: BoxFolder,
    section: DataSection,
    part: _Annotated,
    most: int,
    scale: PixelScale,
    augmenter: Augmenter | None,
) -> ImageExamples:
    square = (options.size, options.size)

    def read(file: Path) -> Tensor:
        return reported(
            section,
            file,
            lambda: read_image(file, square, options.channels, options.fit),
        )

    count = options.channels * options.size**2
    images = pixels(section, part.files, read, count)
    table = torch.full((len(part.files), most, 5), -1.0)
    for row, size, boxes in zip(table, part.sizes, part.boxes, strict=True):
        moved = boxes_in_input(boxes[:, :4], size, square, options.fit)
        row[: len(boxes)] = torch.cat([moved, boxes[:, 4:]], 1)
    return ImageExamples(images, {"boxes": table}, 255, scale, augmenter)


def _some(part: _Annotated, rows: Sequence[int]) -> _Annotated:
    return _Annotated(
        [part.files[i] for i in rows],
        [part.sizes[i] for i in rows],
        [part.boxes[i] for i in rows],
    )


def _content(section: DataSection, option: str, written: str) -> _File:
    """The content of a JSON file.

    Raises:
        SpecError: if it is not of that form.
    """
    path = section.path(written)
    content = read_json(section, option, written)
    try:
        return _File.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        message = f"{path} is not of the form of COCO: {where}: {first['msg']}"
        help = (
            "images: [{id, file_name}], annotations: [{image_id, category_id, "
            "bbox: [left, top, width, height]}], categories: [{id, name}]"
        )
        section.fail("data-format", message, option, help=help)


def _classes(options: BoxFolder, section: DataSection, content: _File) -> list[str]:
    """The names of the classes.

    Raises:
        SpecError: if the file has no categories, or not those of the options.
    """
    names = [one.name for one in sorted(content.categories, key=lambda one: one.id)]
    path = section.path(options.path)
    if not names:
        section.fail("data-empty", f"{path} has no categories", "path")
    if len(set(names)) < len(names):
        message = f"{path} has two categories of the same name"
        section.fail("data-format", message, "path")
    unknown = [name for name in options.classes if name not in names]
    if unknown:
        message = f"{path} has no category {shorten(unknown[0])}"
        help = f"its categories are {shorten(listed(names))}"
        section.fail("data-label", message, "classes", help=help)
    return list(options.classes) or names


def _part(
    options: BoxFolder,
    section: DataSection,
    option: str,
    content: _File,
    classes: Sequence[str],
) -> _Annotated:
    """The images of a file that exist, with their boxes.

    Raises:
        SpecError: if an image does not exist, or an annotation has no image or an empty box.
    """
    path = section.path(getattr(options, option))
    base = path.parent
    if options.images is not None:
        base = existing_path(section, "images", options.images)
    known = {one.id: one.name for one in content.categories}
    boxes: dict[int | str, list[list[float]]] = {one.id: [] for one in content.images}

    def fail(code: str, message: str, help: str = "") -> NoReturn:
        section.fail(code, message, option, help=help)

    if not content.images:
        fail("data-empty", f"{path} has no images")
    if len(boxes) < len(content.images):
        fail("data-format", f"{path} has two images of the same id")
    for number, one in enumerate(content.annotations):
        name = known.get(one.category_id)
        if name is None or one.image_id not in boxes:
            what = "category" if name is None else "image"
            message = f"{path} has no {what} of annotation {number}"
            fail("data-mismatch", message)
        left, top, width, height = one.bbox
        if not (
            width > 0 and height > 0 and abs(left) + abs(top) + width + height < 1e9
        ):
            message = f"the box of annotation {number} in {path} is {one.bbox}"
            help = "a box is left, top, width and height, in pixels"
            fail("data-format", message, help)
        if name in classes and not one.iscrowd:
            corners = [left, top, left + width, top + height, classes.index(name)]
            boxes[one.image_id].append(corners)
    files = [_file(section, option, base, one.file_name) for one in content.images]
    sizes = [reported(section, file, partial(image_size, file)) for file in files]
    rows = [
        _inside(size, torch.tensor(boxes[one.id]).view(-1, 5))
        for size, one in zip(sizes, content.images, strict=True)
    ]
    return _Annotated(files, sizes, rows)


def _file(section: DataSection, option: str, base: Path, name: str) -> Path:
    """The path of an image.

    Raises:
        SpecError: if it does not exist, or is outside of the folder.
    """
    parts = Path(name).parts
    file = base / name
    try:
        exists = not Path(name).is_absolute() and ".." not in parts and file.is_file()
    except (OSError, ValueError):  # not a possible file name
        exists = False
    if not exists:
        message = f"the image {shorten(name)} is not in {base}"
        help = "`images` names the folder that the names of files start from"
        section.fail("data-not-found", message, option, help=help)
    return file


def _inside(size: Size, boxes: Tensor) -> Tensor:
    """Boxes and classes [N, 5], without what is outside of their image."""
    corners = boxes[:, :4].clamp(min=0).minimum(torch.tensor([*size, *size]))
    there = (corners[:, 2:] > corners[:, :2]).all(1)
    return torch.cat([corners, boxes[:, 4:]], 1)[there]
