"""A network in a few lines: inputs, outputs, parameters, FLOPs."""

from __future__ import annotations

from typing import Final

from compiler.cost.at_sizes import at_sizes
from compiler.cost.summary import PortType, totals
from compiler.program import Program
from layergraph.documents.figure import Figure
from layergraph.documents.shown import Medium, Shown
from layergraph.overrides import read_sizes

SHOWS_FAULTS: Final = False


def show(program: Program, figure: Figure, medium: Medium) -> Shown:
    """A row for each input, output and total of each network."""
    found = at_sizes(program.summary, read_sizes(figure.at) if figure.at else {})
    rows: list[tuple[str, ...]] = []
    for name, section in found.networks.items():
        if figure.network in ("", name):
            rows += [("network", section.name)] if name else []
            rows += [("input", _port(one)) for one in section.inputs]
            rows += [("output", _port(one)) for one in section.outputs]
            rows += totals(found, section)
    return Shown("table", rows=tuple(rows))


def _port(one: PortType) -> str:
    return f"{one.port}: {one.values}"
