"""The folder of a run.

spec.yaml             the spec, with its imports, params, variant, settings and paths resolved
NAME.py               the generated module
run.json              how the run was started, its status, its best metric
vocabulary.json       the data's metadata: class names, tokenizers, scales
data.json             fingerprints of the training and held-out examples
steps.csv             losses and learning rates by step
metrics.csv           a row for each evaluation
curves.png            a plot of both tables
weights/best.safetensors, weights/last.safetensors
weights/evaluator.safetensors   the weights of metrics that are trained themselves
samples/              what the networks could do at each evaluation
state.pt              the checkpoint to resume from
"""

from __future__ import annotations

import csv
import errno
import fcntl
import io
import json
import os
import re
import stat
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from compiler.diagnostics.diagnostic import DataError, RequestError
from compiler.write_files import temporary_path, write_whole

SPEC: Final = "spec.yaml"
STATE: Final = "state.pt"
DATA: Final = "data.json"
BEST: Final = "weights/best.safetensors"
LAST: Final = "weights/last.safetensors"
EVALUATOR: Final = "weights/evaluator.safetensors"
LOCK: Final = ".lock"
"""The file that a process locks while it trains the run."""
MAX_JSON: Final = 2**26
"""Maximum number of bytes of a JSON file."""
_PENDING: Final = ".writing"
"""The file that lists the temporary files of a write, while it takes place."""
_TEMPORARY: Final = re.compile(r"((weights|samples)/)?\.[^/]+\.\d+")


class RunInfo(BaseModel):
    """The keys of `run.json` that commands read: how a run was started, and how far it is."""

    model_config = ConfigDict(extra="allow", strict=True)

    name: str
    kind: str
    spec: str
    variant: str
    command: str
    started: str
    sets: list[str] = []
    task: dict[str, Any]
    status: str
    epoch: int
    epochs: int
    step: int
    seconds: float
    metric: str
    best: float | None


@dataclass(frozen=True)
class RunFolder:
    """The folder of a run."""

    path: Path

    @property
    def is_saved(self) -> bool:
        """Whether the folder has a run with a checkpoint."""
        return (self.path / "run.json").is_file() and (self.path / STATE).is_file()

    @property
    def is_locked(self) -> bool:
        """Whether a process trains the run."""
        try:
            file = os.open(
                self.path / LOCK, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
            )
        except OSError:
            return False
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(file)
        return False

    def read_json(self, name: str) -> dict[str, Any]:
        """The content of a JSON file, which is an object.

        Raises:
            RequestError: if it does not exist.
            DataError: if it is not a regular file, too large, or not a JSON object.
        """
        file = self.path / name
        try:
            content = json.loads(_read_text(file))
        except FileNotFoundError:
            message = f"{self.path} is not a run: it has no {name}"
            raise RequestError(message) from None
        except RecursionError:
            raise DataError(f"{file} cannot be read: it is nested too deep") from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise DataError(f"{file} cannot be read: {reason}") from None
        if not isinstance(content, dict):
            raise DataError(f"{file} cannot be read: it is not a JSON object")
        return content

    def read_info(self) -> dict[str, Any]:
        """The content of `run.json`.

        Raises:
            RequestError, DataError: as `read_json`; also if a key is missing or has a wrong type.
        """
        content = self.read_json("run.json")
        try:
            return RunInfo.model_validate(content).model_dump()
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            key = ".".join(map(str, first["loc"]))
            message = f"{self.path / 'run.json'} cannot be read: {key}: {first['msg']}"
            raise DataError(message) from None

    def write(self, files: Mapping[str, bytes | str]) -> None:
        """Write files by name: all of them or none, and none partly.

        Raises:
            OSError: if one cannot be written, or is outside the folder because of a link.
        """
        targets = {self.path / name: data for name, data in files.items()}
        for path in targets:
            self._check_inside(path)
        pending = [temporary_path(path).relative_to(self.path) for path in targets]
        journal = self.path / _PENDING
        write_own(journal, "".join(f"{path}\n" for path in pending))
        try:
            write_whole(targets)
        finally:
            journal.unlink()

    def _check_inside(self, path: Path) -> None:
        """Check that no link leads out of the folder, which may come from somebody else."""
        inside = self.path.resolve() / path.relative_to(self.path)
        if path.resolve() != inside:
            raise OSError(errno.ELOOP, "a link leads to another file", str(path))

    def remove_temporary(self) -> None:
        """Remove the temporary files of a write that was interrupted, as it listed them."""
        journal = self.path / _PENDING
        try:
            names = _read_text(journal).splitlines()
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:
            raise OSError(errno.EINVAL, f"{journal} is not a list of files") from error
        for name in names:
            file = self.path / name
            if _TEMPORARY.fullmatch(name) and not file.parent.is_symlink():
                file.unlink(missing_ok=True)
        journal.unlink()


def _read_text(file: Path) -> str:
    """The text of a regular file of bounded size, which is not a link: the content may come from somebody else."""
    handle = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with open(handle, "rb") as opened:  # noqa: PTH123  # a file descriptor
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file")
        data = opened.read(MAX_JSON + 1)
    if len(data) > MAX_JSON:
        raise OSError(errno.EFBIG, f"it has more than {MAX_JSON} bytes")
    return data.decode()


def write_own(file: Path, text: str) -> None:
    """Write a file that is not a link."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    with open(os.open(file, flags, 0o644), "w", encoding="utf-8") as opened:  # noqa: PTH123
        opened.write(text)


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
        self.run, self.folder, self.path = folder, folder.path, folder.path / LOCK

    def __enter__(self) -> Self:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._file = self._acquire()
            os.truncate(self._file, 0)
            os.write(self._file, f"{os.getpid()}\n".encode())
            self.run.remove_temporary()
        except OSError as error:
            message = f"{self.folder} cannot be used for a run: {error.strerror}"
            raise RequestError(message) from None
        return self

    def _acquire(self) -> int:
        """The lock file, open and locked."""
        while True:
            file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
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


def as_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as CSV, with the columns of all rows."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()
