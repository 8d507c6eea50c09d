"""A network in numbers and formulas: what `measure` returns, and the table of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from html import escape
from itertools import islice
from typing import Literal

from compiler.dataclass import dataclass
from compiler.diagnostics.text import cells, printable
from compiler.symbolic.dims import TOO_LONG, Dim
from compiler.symbolic.domain import Constraint
from compiler.symbolic.evaluate import Value
from compiler.symbolic.tensor import TensorType

MOST_ROWS = 2_000
COLUMNS = ("layer", "op", "output", "parameters", "as a formula", "FLOPs")


@dataclass(frozen=True, slots=True)
class PortType:
    """The type of a port: in the names of its scope, and by value."""

    port: str
    names: TensorType
    values: TensorType


@dataclass(frozen=True, slots=True)
class Size:
    """The number of parameters, FLOPs and activations of a layer or scope.

    `flops` and `activations` are those of `compiler.cost.costs.Cost`.
    """

    parameters: int
    formula: Dim | None
    """The number of parameters in the names of the scope that the layer is in; None if it is no polynomial in them."""
    flops: Dim | None
    activations: Dim | None


@dataclass(frozen=True, slots=True, eq=False)
class LayerSummary:
    """A layer, or the equal copies of a repeated layer: `layer1[1:3]`."""

    name: str
    op: str
    """The op or block that it runs; "group" for a group."""
    count: int
    """How many copies run; 0 if the layer is inactive."""
    outputs: tuple[PortType, ...]
    size: Size
    """The size of all copies together, over all steps of a scan."""
    notes: tuple[str, ...] = ()
    inside: ScopeSummary | None = None
    """One copy of the block or group that the layer runs; or its copies, if they differ."""


@dataclass(frozen=True, slots=True, eq=False)
class ScopeSummary:
    """A network, block or group with its layers. Layers that run the same instance have the same object."""

    name: str
    kind: Literal["network", "block", "group", "copies"]
    """`copies`: the different copies of one layer."""
    inputs: tuple[PortType, ...]
    outputs: tuple[PortType, ...]
    layers: tuple[LayerSummary, ...]
    size: Size


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Summary:
    """The summaries of all networks of a spec; printed, and in a notebook, a table."""

    name: str
    params: Mapping[str, Value]
    networks: Mapping[str, ScopeSummary]
    symbols: Mapping[str, Constraint]
    """The symbols in the inputs' shapes, with the sizes that each admits."""
    at: Mapping[str, int] = field(default_factory=dict)
    """The sizes that were substituted for symbols."""

    def __repr__(self) -> str:
        return f"<Summary of {self.name}>"

    def __str__(self) -> str:
        return "\n\n".join(_text(self, one) for one in self.networks.values())

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre>"


@dataclass(frozen=True, slots=True)
class TableLine:
    """A line of the table, a cell for each column."""

    level: int
    cells: tuple[str, ...]


def table(section: ScopeSummary, depth: int | None = None) -> list[TableLine]:
    """A line for each layer, those inside blocks and groups below it.

    Args:
        depth: how many levels of layers are shown; all of them where it is None, up to
            a number of lines that a person could read.
    """
    most = None if depth is not None else MOST_ROWS
    lines = list(islice(_lines(section, 0, depth), most))
    if len(lines) == most:
        cells = ("…", "", "more layers: choose with --depth", "", "", "")
        lines.append(TableLine(0, cells))
    return lines


def totals(summary: Summary, section: ScopeSummary) -> list[tuple[str, str]]:
    """What stands below the table."""
    size = section.size
    rows = [("parameters", _counted(size)), ("FLOPs", _amount(size.flops))]
    rows.append(("activations", _amount(size.activations)))
    if summary.at:
        at = ", ".join(f"{name} = {value}" for name, value in summary.at.items())
        rows.append(("at", at))
    return rows


def heading(section: ScopeSummary) -> str:
    """`GPT2: tokens int[B, T] -> logits float[B, T, 50257]`."""
    inputs, outputs = map(_ports, (section.inputs, section.outputs))
    return f"{section.name}: {inputs} -> {outputs}"


def _text(summary: Summary, section: ScopeSummary) -> str:
    """The table in columns of equal width, between its heading and totals."""
    rows: list[tuple[str, ...]] = [COLUMNS]
    for line in table(section):
        first, *rest = line.cells
        rows.append(("  " * line.level + first, *rest))
    widths = [max(map(cells, column)) for column in zip(*rows, strict=True)]
    lines = [printable(heading(section))]
    for row in rows:
        padded = (
            one + " " * (width - cells(one))
            for one, width in zip(row, widths, strict=True)
        )
        lines.append("  ".join(padded).rstrip())
    lines += [f"{name}: {value}" for name, value in totals(summary, section)]
    return "\n".join(lines)


def _ports(types: tuple[PortType, ...]) -> str:
    return ", ".join(f"{one.port} {one.values}" for one in types)


def _lines(section: ScopeSummary, level: int, depth: int | None) -> Iterator[TableLine]:
    if depth is not None and level >= depth:
        return
    for row in section.layers:
        yield TableLine(level, _cells(row))
        if row.inside is not None:
            yield from _lines(row.inside, level + 1, depth)


def _cells(row: LayerSummary) -> tuple[str, ...]:
    badge = f" × {row.count}" if row.count > 1 else ""
    notes = f" ({', '.join(row.notes)})" if row.notes else ""
    size = row.size
    return (
        f"{row.name}{badge}",
        f"{row.op}{notes}",
        ", ".join(str(one.values) for one in row.outputs),
        f"{size.parameters:,}" if size.parameters else "",
        _formula(size),
        _amount(size.flops) if size.flops is None or size.flops != 0 else "",
    )


def _counted(size: Size) -> str:
    formula = _formula(size)
    return f"{size.parameters:,}" + (f" = {formula}" if formula else "")


def _formula(size: Size) -> str:
    """The formula, where it says more than the number."""
    if size.formula is None or size.formula.constant is not None:
        return ""
    return str(size.formula)


def _amount(size: Dim | None) -> str:
    if size is None:
        return TOO_LONG
    return str(size) if size.constant is None else f"{size.constant:,}"
