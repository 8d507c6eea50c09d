"""A summary as a table for people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from compiler.cost.summary import LayerSummary, PortType, ScopeSummary, Size, Summary
from compiler.symbolic.dims import Dim

MOST_ROWS = 2_000
COLUMNS = ("layer", "op", "output", "parameters", "as a formula", "FLOPs")


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
        return "too long a formula"
    return str(size) if size.constant is None else f"{size.constant:,}"
