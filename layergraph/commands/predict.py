"""`predict`: the outputs of a run's networks for inputs of the user's own."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from compiler.diagnostics.diagnostic import RequestError
from compiler.diagnostics.extras import needs_extra
from compiler.write_files import write_whole
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
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            metavar="FOLDER",
            help="Folder for pictures: masks, boxes or reconstructions.",
        ),
    ] = None,
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
    predictions = opened.predict(inputs or [])
    for found in with_pictures(predictions, out):
        if as_json:
            typer.echo(json.dumps(found, ensure_ascii=False))
        else:
            echo_text("  ".join(f"{name}: {value}" for name, value in found.items()))


def with_pictures(
    predictions: Sequence[Mapping[str, Any]], out: Path | None
) -> list[dict[str, Any]]:
    """The predictions, with the path of each picture in its place; without a folder, pictures are omitted.

    Raises:
        RequestError: if two inputs have the same name.
    """
    files: dict[Path, str | bytes] = {}
    shown = []
    for found in predictions:
        values = dict(found)
        for key, content in found.items():
            if not isinstance(content, bytes):
                continue
            del values[key]
            if out is not None:
                path = out / f"{Path(found['input']).stem}.{key}.png"
                if path in files:
                    raise RequestError(f"two inputs would be written to {path}")
                files[path] = content
                values[key] = str(path)
        shown.append(values)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        write_whole(files)
    return shown
