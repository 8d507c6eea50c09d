"""The page that folds and unfolds; in LaTeX the diagram, and as text the summary."""

from __future__ import annotations

from typing import Final

from compiler.program import Program
from layergraph.documents.figure import Figure
from layergraph.documents.shown import Medium, Shown
from layergraph.documents.views import diagram

SHOWS_FAULTS: Final = True


def show(program: Program, figure: Figure, medium: Medium) -> Shown:
    """What the diagram shows, open as far as it is there."""
    if medium != "html":
        return diagram.show(program, figure, medium)
    drawn = diagram.drawn(program, figure)
    alt = f"Diagram of {figure.block or figure.network or program.name}, which folds."
    return Shown("page", drawn.html, alt=alt)
