"""The spec itself."""

from __future__ import annotations

from typing import Final

from compiler.program import Program
from layergraph.documents.figure import Figure
from layergraph.documents.shown import Medium, Shown

SHOWS_FAULTS: Final = True


def show(program: Program, figure: Figure, medium: Medium) -> Shown:
    """The text of the file."""
    return Shown("code", program.typed.graph.document.source.text, "yaml")
