"""Diagnostics as text with excerpts, and as data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from compiler.diagnostics.diagnostic import Diagnostic, SpecError
from compiler.diagnostics.limits import UNLIMITED
from compiler.diagnostics.read_source import read_source
from compiler.diagnostics.source import Source
from compiler.diagnostics.text import cells, escaped, printable

_WIDTH = 100  # cells of an excerpt
_BEFORE = 40  # characters kept before the place, where a line is cut
_COLORS = {"error": "1;31", "warning": "1;33", "frame": "1;34", "bold": "1"}


def render(
    diagnostics: Iterable[Diagnostic],
    sources: Mapping[str, Source],
    *,
    color: bool = False,
) -> str:
    """The diagnostics with their excerpts; `sources` maps a span's file to its text.

    A file that is not in `sources` is named without an excerpt.
    """
    blocks = (_block(one, sources.get(one.span.file), color) for one in diagnostics)
    return "\n".join(f"{block}\n" for block in blocks)


def render_all(diagnostics: Iterable[Diagnostic], *, color: bool = False) -> str:
    """The diagnostics with excerpts; their files are read again."""
    found = tuple(diagnostics)
    return render(found, read_sources(found), color=color)


def read_sources(diagnostics: Iterable[Diagnostic]) -> dict[str, Source]:
    """The files of diagnostics, as far as they can be read."""
    sources: dict[str, Source] = {}
    for file in dict.fromkeys(one.span.file for one in diagnostics):
        with suppress(SpecError):  # that it cannot be read is then the diagnostic
            sources[file] = read_source(Path(file), UNLIMITED.bytes)
    return sources


def as_json(diagnostics: Iterable[Diagnostic]) -> list[dict[str, Any]]:
    """The diagnostics as data for editors; lines and columns as in `Span`."""
    return [
        {
            "code": one.code,
            "severity": one.severity,
            "message": one.message,
            "file": one.span.file,
            "line": one.span.line,
            "column": one.span.column,
            "end_line": one.span.end_line,
            "end_column": one.span.end_column,
            "path": one.path,
            "help": one.help,
        }
        for one in diagnostics
    ]


def _block(one: Diagnostic, source: Source | None, color: bool) -> str:
    number = str(one.span.line)
    pad = " " * len(number)
    head = _paint(f"{one.severity}[{one.code}]", one.severity, color)
    lines = [head + _paint(f": {printable(one.message)}", "bold", color)]
    lines.append(f"{pad}{_paint('-->', 'frame', color)} {printable(one.span.at)}")
    if source is not None and one.span.line <= len(source.lines):
        lines += _excerpt(one, source, color)
    elif one.label:
        lines.append(f"{pad} {_paint('=', 'frame', color)} {printable(one.label)}")
    for note in _notes(one):
        lines.append(f"{pad} {_paint('=', 'frame', color)} {note}")
    return "\n".join(lines)


def _notes(one: Diagnostic) -> list[str]:
    notes = [f"in {printable(one.path)}"] if one.path else []
    if one.help:
        notes.append(f"help: {printable(one.help)}")
    return notes


def _excerpt(one: Diagnostic, source: Source, color: bool) -> list[str]:
    number = str(one.span.line)
    bar = _paint("|", "frame", color)
    before, marked, after = _pieces(one, source.line(one.span.line))
    carets = "^" * max(cells(marked), 1)
    label = f"{carets} {printable(one.label)}" if one.label else carets
    under = " " * cells(before) + _paint(label, one.severity, color)
    return [
        f"{' ' * len(number)} {bar}",
        f"{_paint(number, 'frame', color)} {bar} {before}{marked}{after}".rstrip(),
        f"{' ' * len(number)} {bar} {under}",
    ]


def _pieces(one: Diagnostic, line: str) -> tuple[str, str, str]:
    """The line up to the place, the place, and the rest, cut to fit and made visible.

    A place of several lines is marked to the end of its first.
    """
    span = one.span
    start = min(span.column - 1, len(line))
    last = (
        span.end_column - 1 if span.end_line == span.line else len(line.rstrip(" \t"))
    )
    end = max(start, min(last, len(line)))
    first = start - _BEFORE if len(line) > _WIDTH and start > _BEFORE else 0
    before = ("…" if first else "") + _visible(line[first:start])
    marked = _visible(line[start:end][:_WIDTH])
    room = max(_WIDTH - cells(before) - cells(marked), 0)
    after = _visible(line[end : end + room])
    cut = end - start > _WIDTH or end + room < len(line)
    return before, marked, after + "…" if cut else after


def _visible(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(
        "    " if char == "\t" else char if char.isprintable() else escaped(char)
        for char in text
    )


def _paint(text: str, style: str, color: bool) -> str:
    return f"\x1b[{_COLORS[style]}m{text}\x1b[0m" if color else text
