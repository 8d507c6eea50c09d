"""Files written whole: all of them, or none."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path


def write_whole(files: Mapping[Path, str | bytes]) -> None:
    """Write files, so that none is ever seen half written; folders are made.

    Each is written beside its place and moved there once all are complete.

    Raises:
        OSError: where one cannot be written; nothing has changed then.
    """
    for path in files:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise IsADirectoryError(f"{path} is a directory")
    waiting = {path: path.with_name(f".{path.name}.{os.getpid()}") for path in files}
    try:
        for path, data in files.items():
            waiting[path].write_bytes(
                data if isinstance(data, bytes) else data.encode()
            )
        for path, complete in waiting.items():
            complete.replace(path)
    finally:
        for path in waiting.values():
            path.unlink(missing_ok=True)
