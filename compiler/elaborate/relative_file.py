"""The file that a spec or a recipe names by a relative path."""

from __future__ import annotations

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
    path = (folder / relative).resolve()
    return path if any(map(path.is_relative_to, trees)) else None
