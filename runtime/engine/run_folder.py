"""The folder of a run.

spec.yaml             the spec, with its imports, params, variant and settings resolved
NAME.py               the generated module
run.json              how the run was started, its status, its best metric
vocabulary.json       the data's metadata: class names, tokenizers, scales
steps.csv             losses and learning rates by step
metrics.csv           a row for each evaluation
curves.png            a plot of both tables
weights/best.safetensors, weights/last.safetensors
samples/              what the networks could do at each evaluation
state.pt              the checkpoint to resume from
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from compiler.diagnostics.diagnostic import DataError, RequestError
from compiler.write_files import write_whole

SPEC: Final = "spec.yaml"
STATE: Final = "state.pt"
BEST: Final = "weights/best.safetensors"
LAST: Final = "weights/last.safetensors"


@dataclass(frozen=True)
class RunFolder:
    """The folder of a run."""

    path: Path

    @property
    def exists(self) -> bool:
        """Whether the folder has a run."""
        return (self.path / "run.json").is_file()

    def read_json(self, name: str) -> dict[str, Any]:
        """The content of a JSON file.

        Raises:
            RequestError: if it does not exist.
            DataError: if it is not JSON.
        """
        file = self.path / name
        try:
            content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            message = f"{self.path} is not a run: it has no {name}"
            raise RequestError(message) from None
        except (OSError, ValueError) as error:
            raise DataError(f"{file} cannot be read: {error}") from None
        return content

    def write(self, files: Mapping[str, bytes | str]) -> None:
        """Write files by name: all of them or none, and none partly."""
        write_whole({self.path / name: data for name, data in files.items()})


def as_json(data: Mapping[str, Any]) -> str:
    """The text of a JSON file."""
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


class FolderLock:
    """A context manager that locks a folder for this process, until it exits or is killed.

    Creates the folder, and removes temporary files that a killed process left.

    Raises:
        RequestError: if another process has the lock, or the folder is not writable.
    """

    def __init__(self, folder: RunFolder) -> None:
        self.folder, self.path = folder.path, folder.path / ".lock"

    def __enter__(self) -> Self:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._file = self._acquire()
            os.truncate(self._file, 0)
            os.write(self._file, f"{os.getpid()}\n".encode())
        except OSError as error:
            message = f"{self.folder} cannot be used for a run: {error.strerror}"
            raise RequestError(message) from None
        for file in temporary_files(self.folder):
            file.unlink(missing_ok=True)
        return self

    def _acquire(self) -> int:
        """The lock file, open and locked."""
        while True:
            file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = os.read(file, 32).decode(errors="replace").strip()
                os.close(file)
                message = f"{self.folder} is in use by process {holder or '?'}"
                raise RequestError(message) from None
            if self._is_lock_file(file):
                return file
            os.close(file)

    def _is_lock_file(self, file: int) -> bool:
        """Whether an open file is still at the lock's path: the process that had the lock may have removed it."""
        try:
            return os.path.samestat(os.fstat(file), self.path.stat())
        except FileNotFoundError:
            return False

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(OSError):
            self.path.unlink()
            self.folder.rmdir()  # only succeeds if nothing was written
        os.close(self._file)


def temporary_files(folder: Path) -> Iterator[Path]:
    """The temporary files of `compiler.write_files` that were not moved to their paths."""
    for path in (*folder.glob(".*"), *folder.glob("*/.*")):
        if re.fullmatch(r"\..+\.\d+", path.name):
            yield path
