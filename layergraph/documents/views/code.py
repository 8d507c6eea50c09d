"""The generated module."""

from __future__ import annotations

from typing import Final

from compiler.program import Program
from layergraph.documents.figure import Figure
from layergraph.documents.shown import Medium, Shown

SHOWS_FAULTS: Final = False


def show(program: Program, figure: Figure, medium: Medium) -> Shown:
    """The Python of a program, from its first class on."""
    text = program.python
    return Shown("code", text[max(text.find("\nclass ") + 1, 0) :], "python")
