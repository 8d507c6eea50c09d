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
            metavar="INPUT",
            help="Inputs of the run's task: image files or folders of them, videos (animated images or folders of "
            "frames), recordings (WAV or FLAC), CSV files of rows or of past values, or texts; for answers a question "
            "and its passage in one text.",
        ),
    ] = None,
    weights: Weights = "best",
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            metavar="FOLDER",
            help="Folder for what is made of each input: masks as pictures, forecasts as CSV files.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Predict for images, sounds, texts, tables or series.

    Without an INPUT, a run of series continues its data.

    Example: layergraph predict runs/cnn_digits digit.png
    """
    from runtime.open_run import open_run

    opened = open_run(run, weights)
    if not inputs and opened.learner.needs_inputs:
        raise RequestError(
            "predict needs an INPUT: a file, a folder of images, or a text"
        )
    predictions = opened.predict(inputs or [])
    for found in with_files(predictions, out):
        if as_json:
            typer.echo(json.dumps(found, ensure_ascii=False))
        else:
            echo_text("  ".join(f"{name}: {value}" for name, value in found.items()))


def with_files(
    predictions: Sequence[Mapping[str, Any]], out: Path | None
) -> list[dict[str, Any]]:
    """The predictions, with the path of each picture and table in its place.

    Without a folder, pictures are omitted, and tables stay as they are.

    Raises:
        RequestError: if two inputs have the same name.
    """
    files: dict[Path, str | bytes] = {}
    tables: dict[Path, list[dict[str, Any]]] = {}
    sources: dict[Path, Any] = {}
    shown = []
    for found in predictions:
        values = dict(found)
        for key, content in found.items():
            picture = isinstance(content, bytes)
            if out is None or not (picture or _is_table(content)):
                if picture:
                    del values[key]
                continue
            source = found.get("input", "")
            name = ".".join(filter(None, (Path(source).stem, key)))
            path = out / f"{name}.{'png' if picture else 'csv'}"
            if path in files or sources.setdefault(path, source) != source:
                raise RequestError(f"two inputs would be written to {path}")
            if picture:
                files[path] = content
            else:
                tables.setdefault(path, []).extend(_rows(found, content))
            values[key] = str(path)
        shown.append(values)
    if out is not None:
        from runtime.engine.run_folder import as_csv

        out.mkdir(parents=True, exist_ok=True)
        files |= {path: as_csv(rows) for path, rows in tables.items()}
        write_whole(files)
    return shown


def _is_table(content: Any) -> bool:
    """Whether a value of a prediction is columns by name."""
    return isinstance(content, Mapping) and all(
        isinstance(column, list) for column in content.values()
    )


def _rows(
    found: Mapping[str, Any], columns: Mapping[str, Sequence[Any]]
) -> list[dict[str, Any]]:
    """A table of a prediction as rows, with the name of its series."""
    series = {"series": found["series"]} if "series" in found else {}
    lines = zip(*columns.values(), strict=True)
    return [{**series, **dict(zip(columns, line, strict=True))} for line in lines]
