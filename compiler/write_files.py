"""Files written whole: all of them, or none."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Mapping
from pathlib import Path


def write_whole(files: Mapping[Path, str | bytes]) -> None:
    """Write files, so that none is ever seen half written; folders are made.

    Each is written beside its place and moved there once all are complete. A file that
    is there already keeps its mode, and a link still leads where it did.

    Raises:
        OSError: where one cannot be written; nothing has changed then.
    """
    places = {path.resolve(): data for path, data in files.items()}
    waiting = {path: path.with_name(f".{path.name}.{os.getpid()}") for path in places}
    try:
        for path, data in places.items():
            _write(path, waiting[path], data)
        for path, complete in waiting.items():
            complete.replace(path)
    finally:
        for path in waiting.values():
            path.unlink(missing_ok=True)


def _write(path: Path, waiting: Path, data: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    waiting.write_bytes(data if isinstance(data, bytes) else data.encode())
    if path.exists():
        shutil.copymode(path, waiting)
