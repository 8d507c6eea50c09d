"""The diagram: SVG, in LaTeX TikZ, and as text the summary."""

from __future__ import annotations

from typing import Final

from compiler.diagram.diagram import Diagram
from compiler.diagram.formats import tikz
from compiler.diagram.picture import Picture
from compiler.program import Program
from layergraph.documents.figure import Figure
from layergraph.documents.shown import Medium, Shown

SHOWS_FAULTS: Final = True
_PRINT: Final = ("mm", "cm", "in", "pt")


def show(program: Program, figure: Figure, medium: Medium) -> Shown:
    """The networks of a program, or the part of them that the figure selects."""
    if medium == "text":
        return Shown("code", str(program.summary), "text")
    picture = drawn(program, figure)
    alt = f"Diagram of {figure.block or figure.network or program.name}."
    if medium == "latex":
        return Shown("tikz", tikz.render(Picture(picture.drawing)), alt=alt)
    return Shown("svg", picture.svg, alt=alt)


def drawn(program: Program, figure: Figure) -> Diagram:
    """The diagram that a figure selects."""
    return program.diagram(
        network=figure.network,
        block=figure.block,
        depth=figure.depth,
        expand=figure.expand,
        fold=figure.fold,
        direction=figure.direction,
        theme=figure.style,
        width=figure.width if figure.width.endswith(_PRINT) else "",
    )
