"""`evaluate`: the metrics of a run on its held-out data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from compiler.diagnostics.diagnostic import RequestError
from compiler.diagnostics.extras import needs_extra
from layergraph.commands._options import Json, Run, Weights
from layergraph.commands._output import echo_text, table_lines


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
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="Where the data is now; or other data of the same form, which is evaluated whole.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Evaluate a run on the test data, or else on the held-out data.

    Example: layergraph evaluate runs/cnn_digits
    """
    from runtime.open_run import open_run

    if part not in ("", "held_out", "test"):
        raise RequestError(f"--part is held_out or test, not {part}")
    opened = open_run(run, weights)
    found = opened.evaluate(
        part, data, lambda text: echo_text(f"note: {text}", err=True)
    )
    if as_json:
        typer.echo(json.dumps(found))
        return
    width = max(map(len, found))
    for name, value in found.items():
        typer.echo(f"{name:{width}}  {value:.6g}")
    for rows in opened.learner.tables().values():
        typer.echo()
        for line in table_lines(rows):
            echo_text(line)
