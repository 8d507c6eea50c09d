"""Tables on a terminal or in a file."""

from __future__ import annotations

from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from compiler.cost.summary import COLUMNS, ScopeSummary, Summary, heading, table, totals
from compiler.diagnostics.text import printable

_NUMBERS = {"parameters"}
_UNBOUNDED = 100_000


def print_summary(summary: Summary, depth: int | None, stream: TextIO) -> None:
    """A table for each network, with totals; lines are folded on a terminal alone."""
    console = Console(
        file=stream,
        width=None if stream.isatty() else _UNBOUNDED,
        highlight=False,
        markup=False,
    )
    for section in summary.networks.values():
        console.print(Text(printable(heading(section)), style="bold"), soft_wrap=True)
        console.print(_table(section, depth))
        for name, value in totals(summary, section):
            console.print(f"{name}: {value}", soft_wrap=True)
    stream.flush()


def _table(section: ScopeSummary, depth: int | None) -> Table:
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for column in COLUMNS:
        right = "right" if column in _NUMBERS else "left"
        shown.add_column(column, justify=right, overflow="fold")  # type: ignore[arg-type]
    for line in table(section, depth):
        first, *rest = line.cells
        shown.add_row(Text("  " * line.level + first), *map(Text, rest))
    return shown
