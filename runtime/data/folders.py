"""Folders of files: the parts of a data set, their classes, and the images in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import torch
from torch import Tensor

from compiler.diagnostics.diagnostic import suggest
from compiler.diagnostics.text import listed, shorten
from compiler.tasks.splits import OwnFiles
from runtime.data.data_section import DataSection
from runtime.data.images import ImageFiles, Pixels, image_size
from runtime.data.split import SplitOptions, split_by_class
from runtime.data.user_files import existing_path

T = TypeVar("T")

FILE_MANAGER: Final = frozenset({"thumbs.db", "desktop.ini", "__macosx"})
"""What Windows adds to folders of images, and macOS to archives of them, in lower case."""
MAX_HELD: Final = 2**26
"""Maximum number of bytes of the pixels that are kept in memory; of more, files are read when they are needed."""
TRAIN: Final = "train"
PARTS: Final = {
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
}
"""Folders beside `train`, and the option that each stands for."""


@dataclass(frozen=True)
class ClassFiles:
    """The files of a part of the data.

    Attributes:
        files: paths.
        labels: the class of each.
    """

    files: Sequence[Path]
    labels: Sequence[int]


def part_folders(options: OwnFiles, section: DataSection) -> dict[str, Path]:
    """The folder of the training images, as `path`, and those of `validation` and `test` if they are of their own.

    They are what the options say; or the folder has `train` and others of `PARTS`.

    Raises:
        SpecError: if a folder does not exist.
    """
    names = ("path", "validation", "test")
    written = {name: getattr(options, name) for name in names}
    given = {name: text for name, text in written.items() if text is not None}
    folders = {name: _folder(section, name, text) for name, text in given.items()}
    inside = {one.name: one for one in entries(section, folders["path"], "path")}
    is_split = TRAIN in inside and len(inside) > 1 and inside.keys() <= {TRAIN, *PARTS}
    if not (is_split and _has_folders(section, inside[TRAIN])):
        return folders
    parts = {PARTS[name]: path for name, path in inside.items() if name != TRAIN}
    if "validation" in parts and "held_out" in options.model_fields_set:
        message = f"the folder has {listed(inside)}: it says what is held out"
        section.fail("data-mismatch", message, "held_out", help="remove `held_out`")
    return {**parts, **folders, "path": inside[TRAIN]}


def _has_folders(section: DataSection, path: Path) -> bool:
    return path.is_dir() and any(map(Path.is_dir, entries(section, path, "path")))


def _folder(section: DataSection, option: str, written: str) -> Path:
    path = existing_path(section, option, written)
    if not path.is_dir():
        section.fail("data-unreadable", f"{path} is not a folder", option)
    return path


def class_names(section: DataSection, path: Path) -> list[str]:
    """The names of the folders in a folder.

    Raises:
        SpecError: if there are none.
    """
    names = [one.name for one in entries(section, path, "path") if one.is_dir()]
    if not names:
        message = f"{path} has no folders"
        help = "the files of each class must be in a folder of their own"
        section.fail("data-empty", message, "path", help=help)
    return names


def class_files(
    section: DataSection,
    path: Path,
    option: str,
    classes: Sequence[str],
    folders: bool = False,
) -> ClassFiles:
    """The entries of the folders of the classes in a folder.

    Args:
        section: where errors are reported.
        path: the folder.
        option: the option that names it.
        classes: the names of the classes.
        folders: whether folders are entries, too.

    Raises:
        SpecError: if a folder is of another class, or empty.
    """
    files: list[Path] = []
    labels: list[int] = []
    for folder in (one for one in entries(section, path, option) if one.is_dir()):
        if folder.name not in classes:
            message = f"{folder} is no class of the training data"
            name = shorten(folder.name)
            help = (
                suggest(name, classes) or f"the classes are {shorten(listed(classes))}"
            )
            section.fail("data-label", message, option, help=help)
        found = [
            one
            for one in entries(section, folder, option)
            if folders or not one.is_dir()
        ]
        if not found:
            section.fail("data-empty", f"the folder {folder} has no images", option)
        files += found
        labels += [classes.index(folder.name)] * len(found)
    return ClassFiles(files, labels)


def split_files(
    found: Mapping[str, ClassFiles], options: SplitOptions
) -> dict[str, ClassFiles]:
    """The files of `train`, `validation` and `test`; a fraction of those of `path` is held out for validation."""
    whole = found["path"]
    others = {name: part for name, part in found.items() if name != "path"}
    if "validation" in others:
        return {"train": whole, **others}
    labels = torch.tensor(whole.labels)
    train, held_out = (
        ClassFiles([whole.files[i] for i in rows], [whole.labels[i] for i in rows])
        for rows in (part.tolist() for part in split_by_class(labels, options))
    )
    return {"train": train, "validation": held_out, **others}


def pixels(
    section: DataSection,
    files: Sequence[Path],
    read: Callable[[Path], Tensor],
    size: int,
    check: Callable[[Path], object] | None = None,
) -> Pixels:
    """The images of files: in memory, or read when they are needed if they have more than `MAX_HELD` bytes.

    Args:
        section: where errors are reported.
        files: the files.
        read: reads one.
        size: number of bytes of one that is read.
        check: checks one without reading it whole; default: its header.

    Raises:
        SpecError: if a file is not an image; of large data only the headers are read.
    """
    if not files:
        return torch.empty(0, dtype=torch.uint8)
    if len(files) * size <= MAX_HELD:
        return torch.stack(list(map(read, files)))
    for file in files:
        if check is None:
            reported(section, file, lambda file=file: image_size(file))  # type: ignore[misc]
        else:
            check(file)
    return ImageFiles(list(map(str, files)), read)


def reported(section: DataSection, file: Path, read: Callable[[], T]) -> T:
    """What reads an image file; an error is reported at the data's path.

    Raises:
        SpecError: if it cannot be read.
    """
    return reported_as("an image", section, file, read)


def reported_as(
    what: str, section: DataSection, path: Path, read: Callable[[], T]
) -> T:
    """What reads a file or folder that should be `what`; an error is reported at the data's path.

    Raises:
        SpecError: if it cannot be read.
    """
    try:
        if not (path.is_file() or path.is_dir()):
            raise ValueError("it is not a regular file")
        return read()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        section.fail("data-unreadable", f"{path} is not {what}: {reason}", "path")


def entries(section: DataSection, folder: Path, option: str) -> list[Path]:
    """The entries of a folder that are not hidden or of a file manager, sorted by name."""
    try:
        return sorted(
            entry
            for entry in folder.iterdir()
            if entry.name[0] != "." and entry.name.lower() not in FILE_MANAGER
        )
    except OSError as error:
        message = f"{folder} cannot be read: {error.strerror}"
        section.fail("data-unreadable", message, option)
