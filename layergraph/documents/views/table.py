"""Each layer with its type, parameters and FLOPs."""

from __future__ import annotations

from typing import Final

from compiler.cost.at_sizes import at_sizes
from compiler.cost.summary import COLUMNS, table
from compiler.program import Program
from layergraph.documents.figure import Figure
from layergraph.documents.shown import Medium, Shown
from layergraph.overrides import read_sizes

SHOWS_FAULTS: Final = False
_INDENT: Final = "\u00a0" * 3  # other spaces are lost in HTML


def show(program: Program, figure: Figure, medium: Medium) -> Shown:
    """A row for each layer, those inside blocks below it, down to the depth of the figure."""
    found = at_sizes(program.summary, read_sizes(figure.at) if figure.at else {})
    rows: list[tuple[str, ...]] = []
    for name, section in found.networks.items():
        if figure.network in ("", name):
            for line in table(section, figure.depth):
                first, *rest = line.cells
                rows.append((_INDENT * line.level + first, *rest))
    return Shown("table", columns=COLUMNS, rows=tuple(rows))
