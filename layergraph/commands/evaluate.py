"""`evaluate`: the metrics of a run on its held-out data."""

from __future__ import annotations

import json

import typer

from compiler.diagnostics.extras import needs_extra
from layergraph.commands._options import Json, Run, Weights


@needs_extra("train")
def evaluate(run: Run, weights: Weights = "best", as_json: Json = False) -> None:
    """Evaluate a run on the held-out data.

    Example: layergraph evaluate runs/cnn_digits
    """
    from runtime.open_run import open_run

    found = open_run(run, weights).evaluate()
    if as_json:
        typer.echo(json.dumps(found))
        return
    width = max(map(len, found))
    for name, value in found.items():
        typer.echo(f"{name:{width}}  {value:.6g}")
