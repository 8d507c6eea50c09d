"""The runs in a folder, without torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from compiler.diagnostics.diagnostic import DataError, RequestError
from runtime.engine.run_folder import RunFolder


def list_runs(folder: Path) -> list[dict[str, Any]]:
    """The content of `run.json` of each run in a folder, with its path as `run`, oldest first.

    A run whose `run.json` cannot be read has the keys `run` and `error`.
    """
    runs = []
    for file in sorted(folder.glob("*/run.json")):
        try:
            info = RunFolder(file.parent).read_info()
        except (DataError, RequestError) as error:
            info = {"error": str(error)}
        runs.append({"run": str(file.parent), **info})
    return sorted(runs, key=lambda run: str(run.get("started", "")))
