"""The expected code in tests/golden: as it is there, and with the library that it carries."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import compiler.library
from compiler.lower.library_code import library_code

LIBRARY = Path(compiler.library.__file__).parent
GOLDEN = Path(__file__).parents[1] / "golden"
MARK = "# compiler/library: "
"""Begins the line in place of a definition."""


def without_library(code: str) -> str:
    """Generated code with a line in place of each definition that is carried from compiler/library as it is there."""
    for line, text in _library_lines():
        code = code.replace(text, line)
    return code


def with_library(code: str) -> str:
    """What `without_library` made shorter, whole again."""
    for line, text in _library_lines():
        code = code.replace(f"\n{line}\n", f"\n{text}\n")
    return code


@cache
def _library_lines() -> list[tuple[str, str]]:
    """The line in place of each definition in compiler/library, and the definition."""
    parts = [
        part.text
        for file in sorted(LIBRARY.glob("*.py"))
        for part in library_code([file.stem]).code
    ]
    return [(_line(text), text) for text in parts]


def _line(text: str) -> str:
    first = next(x for x in text.splitlines() if not x.startswith("@"))
    return f"{MARK}{first.rstrip('(:')}"
