"""Write files completely: all of them, or none."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Mapping
from pathlib import Path


def write_whole(files: Mapping[Path, str | bytes]) -> None:
    """Write files, so that none is ever seen partly written; folders are created.

    Each file is written to its `temporary_path`, and moved when all are complete. An existing
    file keeps its mode, and a link is followed.

    Raises:
        OSError: if one cannot be written; then nothing has changed.
    """
    contents = {path.resolve(): data for path, data in files.items()}
    pending = {path: temporary_path(path) for path in contents}
    try:
        for path, data in contents.items():
            _write(path, pending[path], data)
        for path, complete in pending.items():
            complete.replace(path)
    finally:
        for path in pending.values():
            path.unlink(missing_ok=True)


def temporary_path(path: Path) -> Path:
    """The file beside a file to which this process writes it first."""
    return path.with_name(f".{path.name}.{os.getpid()}")


def _write(path: Path, temporary: Path, data: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    temporary.write_bytes(data if isinstance(data, bytes) else data.encode())
    if path.exists():
        shutil.copymode(path, temporary)
