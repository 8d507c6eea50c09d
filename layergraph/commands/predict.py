"""`predict`: the outputs of a run's networks for inputs of the user's own."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from compiler.diagnostics.diagnostic import RequestError
from compiler.diagnostics.extras import needs_extra
from layergraph.commands._options import Json, Run, Weights
from layergraph.commands._output import echo_text


@needs_extra("train")
def predict(
    run: Run,
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="INPUT", help="Image files or folders of them, CSV files, or texts."
        ),
    ] = None,
    weights: Weights = "best",
    as_json: Json = False,
) -> None:
    """Predict for images, texts or series.

    Example: layergraph predict runs/cnn_digits digit.png
    """
    from runtime.open_run import open_run

    opened = open_run(run, weights)
    if not inputs and opened.learner.needs_inputs:
        raise RequestError(
            "predict needs an INPUT: a file, a folder of images, or a text"
        )
    for found in opened.predict(inputs or []):
        if as_json:
            typer.echo(json.dumps(found, ensure_ascii=False))
        else:
            echo_text("  ".join(f"{name}: {value}" for name, value in found.items()))
