"""`runs`: a table of the runs in a folder."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from compiler.diagnostics.diagnostic import RequestError
from layergraph.commands._options import Json
from layergraph.commands._output import echo_text, exit_if


def runs(
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="DIR",
            help="Folder of run folders.  [default: runs]",
            exists=True,
            file_okay=False,
        ),
    ] = None,
    sort: Annotated[
        str,
        typer.Option(
            metavar="KEY", help="Order: a metric, best first; started, seconds, epochs."
        ),
    ] = "started",
    filters: Annotated[
        list[str] | None,
        typer.Option(
            "--filter",
            metavar="KEY=VALUE",
            help="Only runs of a network, task or status; may be repeated.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """List the runs in a folder, the oldest first.

    Example: layergraph runs --filter task=classification --sort accuracy
    """
    from runtime.list_runs import filtered, list_runs, ordered

    folder = folder or Path("runs")
    found = list_runs(folder)
    if not found:
        raise RequestError(_no_runs(folder))
    found = ordered(filtered(found, dict(map(_pair, filters or ()))), sort)
    if as_json:
        typer.echo(json.dumps(found))
        return
    for row in _table([run for run in found if "error" not in run]):
        echo_text(row)
    for run in found:
        if "error" in run:
            echo_text(f"error: {run['error']}", err=True)
    exit_if(any("error" in run for run in found))


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise RequestError(f"a filter reads task=classification, not {text}")
    return key.strip(), value.strip()


def _no_runs(folder: Path) -> str:
    if (folder / "run.json").is_file():
        return f"{folder} is a run, not a folder of runs: did you mean {folder.parent}?"
    return f"{folder} has no runs"


def _table(found: Sequence[Mapping[str, Any]]) -> list[str]:
    """The runs as lines of equal columns."""
    head = ("run", "network", "task", "status", "epochs", "seconds", "best")
    rows = [head, *map(_row, found)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    lines = (map(str.ljust, row, widths) for row in rows)
    return ["  ".join(line).rstrip() for line in lines]


def _row(run: Mapping[str, Any]) -> tuple[str, ...]:
    best = run.get("best")
    shown = "" if best is None else f"{run['metric']} {best:.4g}"
    epochs = f"{run['epoch']}/{run['epochs']}"
    words = (run["run"], run["name"], run["kind"], run["status"], epochs)
    return (*map(str, words), f"{run['seconds']:.0f}", shown)
