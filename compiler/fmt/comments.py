"""The comments of a file, which the parser skips."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.dataclass import dataclass
from compiler.diagnostics.source import Source
from compiler.parse.document import (
    Document,
    MappingNode,
    ScalarNode,
    SequenceNode,
    YamlNode,
)

LineColumn = tuple[int, int]
"""A line and a column, from 1."""


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment with its `#`, either `alone` on its line or after something else."""

    at: LineColumn
    text: str
    alone: bool


def find_comments(document: Document) -> list[Comment]:
    """All comments of a file, in order: each `#` after a blank or at the start of a line, and outside of scalars."""
    covered = _covered(document)
    found: list[Comment] = []
    for number, line in enumerate(document.source.lines, 1):
        column = _comment_start(line, covered.get(number, []))
        if column is not None:
            alone = not line[: column - 1].strip()
            text = line[column - 1 :].rstrip()
            found.append(Comment((number, column), text, alone))
    return found


def _comment_start(line: str, spans: list[tuple[int, int]]) -> int | None:
    """The column of the first `#` outside of scalars, after a blank or at the start; None if there is none."""
    for index, char in enumerate(line):
        if char != "#" or any(start <= index + 1 < end for start, end in spans):
            continue
        if index == 0 or line[index - 1] in " \t":
            return index + 1
    return None


def _covered(document: Document) -> dict[int, list[tuple[int, int]]]:
    """The spans of columns that scalars take in each line."""
    covered: dict[int, list[tuple[int, int]]] = {}
    for scalar in _scalars(document.root):
        for line, start, end in _line_spans(document.source, scalar):
            covered.setdefault(line, []).append((start, end))
    return covered


def _line_spans(source: Source, scalar: ScalarNode) -> Iterator[tuple[int, int, int]]:
    span = scalar.span
    header = source.line(span.line)[span.column - 1 : span.column] in ("|", ">")
    for line in range(span.line, span.end_line + 1):
        start = span.column if line == span.line else 1
        end = span.end_column if line == span.end_line else len(source.line(line)) + 1
        # The first line of a block scalar has its style, and may have a comment.
        if header and line == span.line and span.end_line > span.line:
            end = start + 1
        yield line, start, end


def _scalars(root: YamlNode) -> Iterator[ScalarNode]:
    pending: list[YamlNode] = [root]
    while pending:
        node = pending.pop()
        if isinstance(node, ScalarNode):
            yield node
        elif isinstance(node, SequenceNode):
            pending.extend(node.items)
        elif isinstance(node, MappingNode):
            for key, value in node.entries:
                pending += (key, value)
