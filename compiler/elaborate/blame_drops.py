"""Errors of names that a spec drops from the one that it extends: one at each `null`, with all that uses the names."""

from __future__ import annotations

from dataclasses import field
from typing import Final

from compiler.dataclass import dataclass
from compiler.diagnostics.diagnostic import Diagnostic
from compiler.diagnostics.source import Span
from compiler.diagnostics.text import listed, shorten
from compiler.parse.document import Document, MappingNode

_OF_BLOCKS: Final = ("blocks", "import")
"""The sections whose names all blocks use."""
_SECTIONS: Final = ("layers", "inputs", "outputs", "params", "networks", *_OF_BLOCKS)
"""The sections whose names are used elsewhere."""
_MOST: Final = 6


@dataclass
class _Drop:
    """A `null`: what is missing because of it, and what uses that."""

    span: Span
    names: dict[str, None] = field(default_factory=dict)
    users: list[str] = field(default_factory=list)

    def diagnostic(self) -> Diagnostic:
        names = listed(map(shorten, self.names), most=_MOST)
        verb = "is" if len(self.names) == 1 else "are"
        message = f"{names} {verb} dropped here, and still used"
        label = f"used by {listed(self.users, most=_MOST)}"
        help = "change or drop what uses it, too"
        return Diagnostic("still-used", message, self.span, label, help=help)


def blame_drops(
    diagnostics: tuple[Diagnostic, ...], document: Document
) -> tuple[Diagnostic, ...]:
    """The diagnostics of a spec, with errors of names that it drops at the place where it does."""
    if not document.dropped:
        return diagnostics
    drops: dict[Span, _Drop] = {}
    found: list[Diagnostic | _Drop] = []
    for one in diagnostics:
        user = _user(document, one.span) if one.missing else ()
        null = _null(document, one.missing, user) if user else None
        if null is None:
            found.append(one)
            continue
        if null not in drops:
            drops[null] = _Drop(null)
            found.append(drops[null])
        drops[null].names[one.missing] = None
        drops[null].users.append(f"{'.'.join(map(shorten, user))} ({one.span.at})")
    return tuple(one.diagnostic() if isinstance(one, _Drop) else one for one in found)


def _null(document: Document, name: str, user: tuple[str, ...]) -> Span | None:
    """Where a name is dropped that an entry uses; None where it is not that name."""
    sections = _OF_BLOCKS if user[0] == "blocks" else _SECTIONS
    spans = (document.dropped.get((section, name)) for section in sections)
    return next((span for span in spans if span is not None), None)


def _user(document: Document, span: Span) -> tuple[str, ...]:
    """The section and the entry that a place is in; nothing where the place is in another file."""
    for section, whole in document.root.entries:
        for key, value in whole.entries if isinstance(whole, MappingNode) else ():
            if _contains(key.span, span) or _contains(value.span, span):
                return section.text, key.text
        if _contains(whole.span, span):
            return (section.text,)
    return ()


def _contains(whole: Span, part: Span) -> bool:
    start, end = (part.line, part.column), (part.end_line, part.end_column)
    return (
        whole.file == part.file
        and (whole.line, whole.column) <= start
        and end <= (whole.end_line, whole.end_column)
    )
