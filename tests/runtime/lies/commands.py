"""Run commands as the command line does, in this process, and watch what they do to files."""

from __future__ import annotations

import gc
import hashlib
import os
import resource
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from layergraph.__main__ import main

_SECONDS: Final = 60
_MEMORY: Final = 4 * 2**30


class TooLongError(BaseException):
    """A command did not end in time."""


def outcome(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> int:
    """The exit code of a command; any exception but its exit is a traceback for the user."""
    monkeypatch.setattr(sys, "argv", ["layergraph", *arguments])
    monkeypatch.setattr(gc, "freeze", lambda: None)
    with bounded():
        try:
            main()
        except SystemExit as done:
            return int(done.code or 0)
    raise AssertionError("main ends by SystemExit")


@contextmanager
def bounded() -> Iterator[None]:
    """A bound of time, and of memory beyond what is in use."""

    def stop(*_: Any) -> None:
        raise TooLongError

    used = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf(
        "SC_PAGE_SIZE"
    )
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(_SECONDS)
    resource.setrlimit(resource.RLIMIT_AS, (used + _MEMORY, hard))
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def listing(folder: Path) -> dict[str, str]:
    """All files, links and folders under a folder, with a digest of what they hold; links are not followed."""
    return {
        str(path.relative_to(folder)): _content(path)
        for path in sorted(folder.rglob("*"))
    }


def _content(path: Path) -> str:
    if path.is_symlink():
        return f"-> {path.readlink()}"
    if path.is_file():
        return hashlib.sha256(path.read_bytes()).hexdigest()
    return "folder" if path.is_dir() else "neither"
