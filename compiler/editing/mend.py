"""Diagnostics whose help is a replacement, as edits."""

from __future__ import annotations

import re

from compiler.dataclass import dataclass
from compiler.diagnostics.diagnostic import Diagnostic
from compiler.diagnostics.replacement import Replacement
from compiler.diagnostics.source import Source, Span
from compiler.editing.rename import Edit


@dataclass(frozen=True, slots=True)
class Mend:
    """What an edit does, in words, and the edit."""

    title: str
    edit: Edit


def mend(one: Diagnostic, source: Source) -> Mend | None:
    """The edit that the help of a diagnostic asks for; None where it asks for none, or not for one at one place.

    The text to replace is all of the diagnostic's place, or the only such word in it.
    """
    help, span = one.help, one.span
    if not isinstance(help, Replacement) or span.file != source.file:
        return None
    if span.line != span.end_line:
        return None
    text = source.line(span.line)[span.column - 1 : span.end_column - 1]
    found = _place(text, help.wrong)
    if found is None:
        return None
    start = span.column + found
    end = start + len(help.wrong)
    place = Span(span.file, span.line, start, span.line, end)
    if not help.right:
        title = "remove it"
    elif help.right.isspace() or help.wrong == ":":
        title = str(help).partition(",")[0]
    else:
        title = f"write {help.right}"
    return Mend(title, Edit(place, help.right))


def _place(text: str, wrong: str) -> int | None:
    """Where in a text the wrong one is; None where it is not, or in several places."""
    if text == wrong:
        return 0
    if not re.fullmatch(r"\w+", wrong):
        return text.find(wrong) if text.count(wrong) == 1 else None
    found = [*re.finditer(rf"(?<![\w.]){re.escape(wrong)}(?!\w)", text)]
    return found[0].start() if len(found) == 1 else None
