"""A spec's text, and places in it."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from compiler.diagnostics.diagnostic import Diagnostic, SpecError

_LINE_BREAK = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a file: 1-based, the end column exclusive, columns in characters."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int

    @property
    def at(self) -> str:
        """The place as people and editors write it: `specs/resnet.yaml:31:21`."""
        return f"{self.file}:{self.line}:{self.column}"

    def to(self, other: Span) -> Span:
        """The stretch from the start of this span to the end of `other`."""
        return Span(self.file, self.line, self.column, other.end_line, other.end_column)


@dataclass(frozen=True)
class Source:
    """The text of one file, without its byte order mark."""

    file: str
    text: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", self.text.removeprefix("\ufeff"))

    @classmethod
    def read(cls, path: Path, limit_bytes: int) -> Source:
        """The file at `path`, which is UTF-8 and at most `limit_bytes` long.

        Raises SpecError: the file is not there, is no regular file, is not readable,
        too large or not UTF-8.
        """
        data = _read_bytes(path, limit_bytes)
        try:
            return cls(str(path), data.decode())
        except UnicodeDecodeError as error:
            raise _not_utf8(str(path), data, error) from None

    @cached_property
    def lines(self) -> list[str]:
        """The lines, without their ends; a last line that is empty counts."""
        return _LINE_BREAK.split(self.text)

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(match.end() for match in _LINE_BREAK.finditer(self.text))]

    def line(self, number: int) -> str:
        """Line `number`, from 1; empty where the file has no such line."""
        return self.lines[number - 1] if 1 <= number <= len(self.lines) else ""

    def span(self, start: int, end: int) -> Span:
        """The stretch between two offsets into the text, the end exclusive."""
        return Span(self.file, *self._place(start), *self._place(end))

    def _place(self, offset: int) -> tuple[int, int]:
        offset = min(max(offset, 0), len(self.text))
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1


def _read_bytes(path: Path, limit: int) -> bytes:
    try:
        if not path.exists():
            raise _fault(str(path), "file-not-found", "there is no such file")
        if not path.is_file():  # a pipe or a device could keep us waiting for ever
            what = "a directory" if path.is_dir() else "not a regular file"
            raise _fault(str(path), "file-unreadable", f"this is {what}, not a spec")
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        message = f"the file cannot be read: {reason}"
        raise _fault(str(path), "file-unreadable", message) from None
    if len(data) > limit:
        message = f"the file is larger than {limit:,} bytes"
        raise _fault(str(path), "too-large", message)
    return data


def _not_utf8(file: str, data: bytes, error: UnicodeDecodeError) -> SpecError:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        message = "this file looks like UTF-16, and a spec is UTF-8 text"
        return _fault(file, "not-utf8", message, help="save the file as UTF-8")
    before = Source(file, data[: error.start].decode())
    message = f"byte 0x{data[error.start]:02x} is not UTF-8 text"
    span = before.span(len(before.text), len(before.text))
    return _fault(file, "not-utf8", message, span, help="save the file as UTF-8")


def _fault(
    file: str, code: str, message: str, span: Span | None = None, help: str = ""
) -> SpecError:
    span = span or Span(file, 1, 1, 1, 1)
    return SpecError((Diagnostic(code, message, span, help=help),))
