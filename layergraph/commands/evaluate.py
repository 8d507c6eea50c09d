"""`evaluate`: the metrics of a run on its held-out data."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from compiler.diagnostics.diagnostic import RequestError
from compiler.diagnostics.extras import needs_extra
from layergraph.commands._options import Json, Run, Weights
from layergraph.commands._output import echo_text


@needs_extra("train")
def evaluate(
    run: Run,
    weights: Weights = "best",
    part: Annotated[
        str,
        typer.Option(
            metavar="held_out|test",
            help="Part of the data; default: test, if the data has one.",
        ),
    ] = "",
    as_json: Json = False,
) -> None:
    """Evaluate a run on the test data, or else on the held-out data.

    Example: layergraph evaluate runs/cnn_digits
    """
    from runtime.open_run import open_run

    if part not in ("", "held_out", "test"):
        raise RequestError(f"--part is held_out or test, not {part}")
    opened = open_run(run, weights)
    found = opened.evaluate(part)
    if as_json:
        typer.echo(json.dumps(found))
        return
    width = max(map(len, found))
    for name, value in found.items():
        typer.echo(f"{name:{width}}  {value:.6g}")
    for rows in opened.learner.tables().values():
        typer.echo()
        for line in _table(rows):
            echo_text(line)


def _table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Rows of values by column as lines of equal columns."""
    shown = [[*rows[0]], *([_shown(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    return ["  ".join(map(str.ljust, line, widths)).rstrip() for line in shown]


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
