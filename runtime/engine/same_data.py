"""Check that the data of a run has not changed since the run began."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from compiler.diagnostics.diagnostic import DataError
from runtime.data.dataset import DataSplits, fingerprints
from runtime.engine.run_folder import DATA, RunFolder, as_json

_SPLITS: Final = {
    "train": "the training data",
    "held_out": "the held-out data",
    "test": "the test data",
}


def check_same_data(folder: RunFolder, data: DataSplits, splits: Sequence[str]) -> None:
    """Check that data is what a run stores of it: the metadata, and the examples of some splits.

    Of a run without fingerprints, which an earlier version wrote, the metadata alone are compared.

    Args:
        folder: the run's folder.
        data: the data, loaded again.
        splits: of `train`, `held_out` and `test`.

    Raises:
        DataError: if they differ.
    """
    message = "the data has changed since the run began"
    if folder.read_json("vocabulary.json") != json.loads(as_json(data.metadata)):
        raise DataError(f"{message}: vocabulary.json in {folder.path} differs")
    if not (folder.path / DATA).exists():
        return
    before, now = folder.read_json(DATA), fingerprints(data)
    for split in splits:
        if before.get(split) != now[split]:
            difference = _split_difference(before.get(split), now[split])
            raise DataError(f"{message}: {_SPLITS[split]} {difference}")


def _split_difference(before: Any, now: Mapping[str, Any]) -> str:
    count = before.get("examples") if isinstance(before, Mapping) else None
    if count == now["examples"]:
        return f"has other examples ({count}, as before)"
    return f"has {now['examples']} examples, and had {count}"
