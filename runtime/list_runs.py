"""The runs in a folder, without torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from compiler.diagnostics.diagnostic import DataError, RequestError, suggest
from compiler.diagnostics.text import listed
from compiler.tasks.task_kinds import task_kind, task_names
from runtime.engine.run_folder import RunFolder

FILTERS: Final = {"network": "name", "task": "kind", "status": "status"}
"""What runs are filtered by, and the keys of `run.json`."""
_ORDERS: Final = {"started": "started", "seconds": "seconds", "epochs": "epoch"}
"""What runs are sorted by, besides their metrics, and the keys of `run.json`."""


def list_runs(folder: Path) -> list[dict[str, Any]]:
    """The content of `run.json` of each run in a folder, with its path as `run`, oldest first.

    A run whose `run.json` cannot be read has the keys `run` and `error`. The status of a run that was running is
    `killed` if no process has it any more.
    """
    runs = []
    for file in sorted(folder.glob("*/run.json")):
        run = RunFolder(file.parent)
        try:
            info = run.read_info()
            if info["status"] == "running" and not run.is_locked:
                info["status"] = "killed"
        except (DataError, RequestError) as error:
            info = {"error": str(error)}
        runs.append({"run": str(file.parent), **info})
    return sorted(runs, key=lambda run: str(run.get("started", "")))


def filtered(
    runs: Sequence[dict[str, Any]], wanted: Mapping[str, str]
) -> list[dict[str, Any]]:
    """The runs with these values; those that cannot be read are kept.

    Args:
        runs: as `list_runs` returns them.
        wanted: values by `network`, `task` or `status`.

    Raises:
        RequestError: for another key.
    """
    for key in wanted:
        if key not in FILTERS:
            raise RequestError(_unknown("filtered", key, FILTERS))
    return [
        run
        for run in runs
        if "error" in run
        or all(run[FILTERS[key]] == value for key, value in wanted.items())
    ]


def ordered(runs: Sequence[dict[str, Any]], by: str) -> list[dict[str, Any]]:
    """The runs in another order; those that have no value are last.

    Args:
        runs: as `list_runs` returns them.
        by: the metric by which runs choose their weights, best first; or `started`, `seconds` or `epochs`.

    Raises:
        RequestError: if no run has such a metric.
    """
    if by in _ORDERS:
        key = _ORDERS[by]
        return sorted(runs, key=lambda run: ("error" in run, run.get(key)))
    metrics = {run["metric"] for run in runs if "error" not in run}
    if by not in metrics:
        raise RequestError(
            _unknown("sorted", by, {**dict.fromkeys(metrics), **_ORDERS})
        )
    having = [
        run for run in runs if run.get("metric") == by and run["best"] is not None
    ]
    others = [run for run in runs if run not in having]
    return [*sorted(having, key=_cost), *others]


def _cost(run: Mapping[str, Any]) -> float:
    """The best value of a run's metric, lower for better."""
    kind, best = run["kind"], float(run["best"])
    higher = kind in task_names() and task_kind(kind).better == "higher"
    return -best if higher else best


def _unknown(what: str, key: str, known: Mapping[str, object]) -> str:
    help = suggest(key, known) or f"they can be by {listed(sorted(known))}"
    return f"runs are not {what} by {key}; {help}"
