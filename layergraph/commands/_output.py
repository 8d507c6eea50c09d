"""What commands print: results to standard output, diagnostics to standard error."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import typer

from compiler.diagnostics.diagnostic import Diagnostic
from compiler.diagnostics.text import printable


def show_diagnostics(diagnostics: Sequence[Diagnostic]) -> None:
    """Print diagnostics with excerpts of their files, in color on a terminal that has it."""
    if not diagnostics:
        return
    from compiler.diagnostics.render import render_all  # most specs have none

    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    color = sys.stderr.isatty() and not plain
    typer.echo(render_all(diagnostics, color=color), nl=False, err=True)


def echo_text(text: str, *, err: bool = False) -> None:
    """Print text from a run, a data file or a network: on a terminal without control characters but line breaks."""
    if (sys.stderr if err else sys.stdout).isatty():
        text = "\n".join(map(printable, text.split("\n")))
    typer.echo(text, err=err)


def echo_json(data: object) -> None:
    """Print data as JSON."""
    typer.echo(json.dumps(data, indent=1, ensure_ascii=False))


def exit_if(failed: bool) -> None:
    """End the command with exit code 1 if something is wrong."""
    if failed:
        raise typer.Exit(1)


def table_lines(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Rows of values by column as lines of equal columns; all have the columns of the first."""
    shown = [[*rows[0]], *([_shown(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    return ["  ".join(map(str.ljust, line, widths)).rstrip() for line in shown]


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
