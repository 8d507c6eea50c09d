"""What a view shows, ready for a document."""

from __future__ import annotations

from typing import Literal

from compiler.dataclass import dataclass

Medium = Literal["html", "latex", "text"]
"""What the document becomes."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture, a page, code or a table."""

    kind: Literal["svg", "page", "tikz", "code", "table"]
    text: str = ""
    """All but a table."""
    language: str = ""
    """Of code."""
    columns: tuple[str, ...] = ()
    """Of a table, their names; () where the first cell of a row says what the others are."""
    rows: tuple[tuple[str, ...], ...] = ()
    alt: str = ""
    """What is seen, in a sentence, for who does not see it."""
