"""Places of an editor, in the units of its encoding, and of the compiler, in characters."""

from __future__ import annotations

from lsprotocol.types import Position, Range
from pygls.workspace import PositionCodec

from compiler.diagnostics.source import Source, Span


class Lines:
    """The lines of a text, and a way between the two kinds of places.

    An editor counts lines and columns from 0, columns in units of UTF-16 unless it and the server agree on another
    encoding; the compiler counts from 1, in characters.
    """

    def __init__(
        self, source: Source, codec: PositionCodec, mark: bool = False
    ) -> None:
        self._source, self._codec = source, codec
        self._mark = int(mark)
        """Units of a byte order mark, which the compiler does not see."""

    def place(self, position: Position) -> tuple[int, int]:
        """The line and column of a position; the end of the line, or of the text, for one behind it."""
        number = min(position.line, len(self._source.lines) - 1)
        text = self._source.lines[number]
        if position.line > number:
            return number + 1, len(text) + 1
        units = position.character - (self._mark if number == 0 else 0)
        column = 0
        for char in text:
            units -= self._codec.client_num_units(char)
            if units < 0:
                break
            column += 1
        return number + 1, column + 1

    def position(self, line: int, column: int) -> Position:
        """The position of a line and column."""
        text = self._source.line(line)[: column - 1]
        mark = self._mark if line == 1 else 0
        return Position(line - 1, self._codec.client_num_units(text) + mark)

    def range(self, span: Span) -> Range:
        """The range of a place."""
        start = self.position(span.line, span.column)
        return Range(start, self.position(span.end_line, span.end_column))

    @property
    def whole(self) -> Range:
        """The range of all of the text."""
        last = len(self._source.lines)
        end = self.position(last, len(self._source.line(last)) + 1)
        return Range(Position(0, 0), end)
