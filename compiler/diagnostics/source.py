"""A spec's text, and places in it."""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property

from compiler.dataclass import dataclass

_LINE_BREAK = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Span:
    """A range in a file: 1-based, the end column exclusive, columns in characters."""

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
        """The range from the start of this span to the end of `other`."""
        return Span(self.file, self.line, self.column, other.end_line, other.end_column)


@dataclass(frozen=True)
class Source:
    """The text of one file, without its byte order mark."""

    file: str
    text: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", self.text.removeprefix("\ufeff"))

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
        """The range between two offsets into the text, the end exclusive."""
        return Span(self.file, *self._place(start), *self._place(end))

    def offset(self, line: int, column: int) -> int:
        """The offset of a place, that of the end of its line for one behind it."""
        column = min(column, len(self.line(line)) + 1)
        return self._starts[min(line, len(self._starts)) - 1] + column - 1

    def _place(self, offset: int) -> tuple[int, int]:
        offset = min(max(offset, 0), len(self.text))
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1
