"""The file that a spec or a recipe names by a relative path."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path, PurePosixPath


def relative_file(written: str, folder: Path, trees: Iterable[Path]) -> Path | None:
    """The path, absolute and without links; None if it leads out of the trees of folders. The file may not exist.

    Args:
        written: a relative path with slashes.
        folder: what it is relative to.
        trees: folders, absolute and without links, in one of which the file must be.
    """
    relative = PurePosixPath(written)
    if relative.is_absolute() or any(char in written for char in "\\:\0"):
        return None
    path = _resolved(folder / relative)
    return path if any(map(path.is_relative_to, trees)) else None


def is_file(path: Path) -> bool:
    """Whether there is a regular file: not so where its name is longer than names can be."""
    try:
        return path.is_file()
    except OSError:
        return False


def _resolved(path: Path) -> Path:
    """The path without links; one whose links go round in a circle, and lead to no file, with them."""
    try:
        return path.resolve()
    except RuntimeError:
        return Path(os.path.normpath(path))
