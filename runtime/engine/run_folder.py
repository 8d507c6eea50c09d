"""A run is a folder: what was trained, how, how it went, and what came of it.

spec.yaml             the spec, every param, variant and setting in it
NAME.py               the generated module
run.json              how it was started, what it is doing, its best figures
vocabulary.json       what is kept of the data: names of classes, tokenizers, scales
steps.csv             the loss and the learning rate, step by step
metrics.csv           a line for each evaluation
curves.png            both as a picture
weights/best.safetensors, weights/last.safetensors
samples/              what the network could do after each evaluation
state.pt              all that training needs to go on
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
        """Whether it holds a run."""
        return (self.path / "run.json").is_file()

    def read_json(self, name: str) -> dict[str, Any]:
        """One of its JSON files.

        Raises:
            RequestError: where it is not there.
            DataError: where it is no JSON.
        """
        file = self.path / name
        try:
            found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise RequestError(
                f"{self.path} holds no run: there is no {name}"
            ) from None
        except (OSError, ValueError) as error:
            raise DataError(f"{file} cannot be read: {error}") from None
        return found

    def write(self, files: Mapping[str, bytes | str]) -> None:
        """Write files, whole and together."""
        write_whole({self.path / name: data for name, data in files.items()})

    def write_json(self, name: str, data: Mapping[str, Any]) -> None:
        """Write a JSON file."""
        self.write({name: as_json(data)})


def as_json(data: Mapping[str, Any]) -> str:
    """The text of a JSON file."""
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


class Lock:
    """Keeps a folder for one process; it ends with the process, however that ends.

    The folder is made, and cleared of what a process that was killed had begun to write.

    Raises:
        RequestError: where another process has it, or it cannot be written to.
    """

    def __init__(self, folder: RunFolder) -> None:
        self.folder, self.path = folder.path, folder.path / ".lock"

    def __enter__(self) -> Self:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._file = self._locked()
            os.truncate(self._file, 0)
            os.write(self._file, f"{os.getpid()}\n".encode())
        except OSError as error:
            message = f"{self.folder} cannot hold a run: {error.strerror}"
            raise RequestError(message) from None
        for left in leftovers(self.folder):
            left.unlink(missing_ok=True)
        return self

    def _locked(self) -> int:
        """The file, open and locked."""
        while True:
            file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = os.read(file, 32).decode(errors="replace").strip()
                os.close(file)
                message = f"{self.folder} is in use by process {holder or '?'}"
                raise RequestError(message) from None
            if self._is(file):
                return file
            os.close(file)

    def _is(self, file: int) -> bool:
        """Whether an open file is the one of the path: who had it before may have removed that."""
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
            self.folder.rmdir()  # where nothing has come of it
        os.close(self._file)


def leftovers(folder: Path) -> Iterator[Path]:
    """Files that were never moved to their places (`compiler.write_files`)."""
    for path in (*folder.glob(".*"), *folder.glob("*/.*")):
        if re.fullmatch(r"\..+\.\d+", path.name):
            yield path
