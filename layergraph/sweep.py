"""Sweeps: a recipe trained with each combination of several values, and a table of what came of it."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any, Final

from compiler.dataclass import dataclass
from compiler.diagnostics.diagnostic import RequestError
from compiler.op.as_yaml import as_yaml
from compiler.program import Program
from compiler.write_files import write_whole
from layergraph.overrides import read_list
from runtime.engine.run_folder import as_csv

MOST: Final = 1_000
"""Maximum number of runs."""
SEED: Final = "seed"
TABLE: Final = "sweep.csv"
_SHORT: Final = {SEED: "task.seed", "epochs": "task.epochs"}
"""Short names of values of the task."""
Settings = dict[str, str]
"""Values by name, as they are written."""


@dataclass(frozen=True)
class SweptRun:
    """One run of a sweep.

    Attributes:
        folder: its folder.
        settings: the swept values.
        sets: the same for `--set`.
    """

    folder: Path
    settings: Settings
    sets: tuple[str, ...]


def swept_runs(texts: Sequence[str], program: Program, folder: Path) -> list[SweptRun]:
    """The runs of a sweep, one for each combination; the last value varies first.

    Args:
        texts: `NAME=VALUE,VALUE` for each swept value: a param, `task.NAME`, `lr`, `seed` or `epochs`.
        program: the recipe without them.
        folder: the folder of the sweep; each run has a number in it.

    Raises:
        RequestError: for text of another form, a name twice, or too many runs.

    """
    values: dict[str, list[str]] = {}
    for text in texts:
        name, found = read_list(text)
        if name in values:
            raise RequestError(f"{name} is swept twice")
        values[name] = [as_yaml(one) for one in found]
    count = 1
    for found in values.values():
        count *= len(found)
    if count > MOST:
        raise RequestError(f"the sweep has {count:,} runs, of at most {MOST:,}")
    width = len(str(count))
    runs = []
    for number, combination in enumerate(product(*values.values()), 1):
        settings = dict(zip(values, combination, strict=True))
        sets = tuple(f"{_long(n, program)}={v}" for n, v in settings.items())
        runs.append(SweptRun(folder / f"{number:0{width}}", settings, sets))
    return runs


def _long(name: str, program: Program) -> str:
    """The name for `--set`."""
    if name in program.typed.graph.spec.params or program.task is None:
        return name
    if name == "lr":
        return f"task.optimizer.{program.task.optimizer.name}.lr"
    return _SHORT.get(name, name)


def train_all(
    runs: Sequence[SweptRun],
    train: Callable[[SweptRun], None],
    read: Callable[[SweptRun], Mapping[str, Any]],
    folder: Path,
) -> list[dict[str, Any]]:
    """Train each run that is not finished, and write the table after each.

    Args:
        runs: the runs.
        train: trains one into its folder; an error of the training itself is left in `run.json`.
        read: reads `run.json` of a run; empty if there is none.
        folder: where the table is written.

    Returns:
        The rows of the table.
    """
    rows: list[dict[str, Any]] = []
    for run in runs:
        if read(run).get("status") != "finished":
            train(run)
        rows.append(_row(run, read(run)))
        write_whole({folder / TABLE: as_csv(rows)})
    return rows


def _row(run: SweptRun, info: Mapping[str, Any]) -> dict[str, Any]:
    best = info.get("best")
    return {
        "run": run.folder.name,
        **run.settings,
        str(info.get("metric", "best")): "" if best is None else best,
        "epoch": info.get("best_epoch", ""),
        "status": info.get("status", "failed"),
        "seconds": info.get("seconds", ""),
    }


def summary(
    rows: Sequence[Mapping[str, Any]],
    runs: Sequence[SweptRun],
    better: str,
    metric: str,
) -> list[dict[str, Any]]:
    """The table for people: the best first; runs that differ in their seed alone are one row, with mean and spread.

    Args:
        rows: of `train_all`.
        runs: of the same order.
        better: whether `higher` or `lower` values of the metric are better.
        metric: its name.
    """
    groups: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    names = [name for name in runs[0].settings if name != SEED]
    for row, run in zip(rows, runs, strict=True):
        groups.setdefault(tuple(run.settings[n] for n in names), []).append(row)
    found = []
    for key, members in groups.items():
        values = [row[metric] for row in members if row.get(metric, "") != ""]
        shown: dict[str, Any] = dict(zip(names, key, strict=True))
        shown[metric] = statistics.fmean(values) if values else float("nan")
        if len(members) > 1:
            shown["deviation"] = statistics.stdev(values) if len(values) > 1 else 0.0
            shown["runs"] = len(values)
        shown["folders"] = " ".join(row["run"] for row in members)
        found.append(shown)
    sign = -1 if better == "higher" else 1
    unknown = [row for row in found if row[metric] != row[metric]]
    known = [row for row in found if row[metric] == row[metric]]
    return [*sorted(known, key=lambda row: sign * row[metric]), *unknown]
