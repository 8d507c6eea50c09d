"""Check that the data of a run has not changed since the run began, or find its examples in other data."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from compiler.diagnostics.diagnostic import DataError
from runtime.data.dataset import (
    ChosenExamples,
    DataSplits,
    Examples,
    FixedExamples,
    fingerprints,
    item_digests,
    split_digests,
)
from runtime.engine.run_folder import DATA, RunFolder, as_json

_SPLITS: Final = {
    "train": "the training data",
    "held_out": "the held-out data",
    "test": "the test data",
}
_RUN: Final = 32
"""Length of the runs of values that are looked for in other data."""
_RUNS: Final = 64
"""Number of these runs."""
_VARIED: Final = 4
"""Number of different steps from value to value below which a run says nothing, as those of numbers in order."""
_CHANGED: Final = "the data has changed since the run began"


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
    if not _same_metadata(folder, data):
        raise DataError(f"{_CHANGED}: vocabulary.json in {folder.path} differs")
    if not (folder.path / DATA).exists():
        return
    before, now = folder.read_json(DATA), fingerprints(data)
    for split in splits:
        if not _same(before.get(split), now[split]):
            difference = _split_difference(before.get(split), now[split])
            raise DataError(f"{_CHANGED}: {_SPLITS[split]} {difference}")


def _same_metadata(folder: RunFolder, data: DataSplits) -> bool:
    stored: object = folder.read_json("vocabulary.json")
    return bool(stored == json.loads(as_json(data.metadata)))


def _same(before: Any, now: Mapping[str, Any]) -> bool:
    """Whether two fingerprints are of the same examples in the same order."""
    keys = ("examples", "digest")
    return isinstance(before, Mapping) and all(before.get(k) == now[k] for k in keys)


def _split_difference(before: Any, now: Mapping[str, Any]) -> str:
    count = before.get("examples") if isinstance(before, Mapping) else None
    if count == now["examples"]:
        return f"has other examples ({count}, as before)"
    return f"has {now['examples']} examples, and had {count}"


def with_own_split(
    folder: RunFolder, data: DataSplits, split: str
) -> tuple[DataSplits, str] | None:
    """Data with the run's own examples of a split held out, wherever in the data they are now.

    Args:
        folder: the run's folder.
        data: data that has them, and may have others.
        split: `held_out` or `test`.

    Returns:
        The data, and what has changed, in words; None if an example is missing, or it is not known which they are.
    """
    if not _same_metadata(folder, data):
        return None
    parts = (data.held_out, data.train, data.test)
    every = [one for one in parts if isinstance(one, FixedExamples)]
    digests = [item_digests(one) or [] for one in every]
    held_out = _found(every, digests, _stored_items(folder, split))
    train = _found(every, digests, _stored_items(folder, "train"))
    if held_out is None or train is None:
        return None
    count = sum(map(len, digests))
    note = f"{_CHANGED}; of its {count} examples, these are the {len(held_out)} that were held out"
    return replace(data, train=train, held_out=held_out), note


def _found(
    parts: Sequence[FixedExamples],
    digests: Sequence[Sequence[str]],
    stored: Sequence[str],
) -> ChosenExamples | None:
    """The examples with the hashes that a run stores; None if one is missing, or there are none."""
    wanted, chosen = Counter(stored), []
    for examples, found in zip(parts, digests, strict=True):
        rows = []
        for index, digest in enumerate(found):
            if wanted[digest]:
                wanted[digest] -= 1
                rows.append(index)
        chosen.append((examples.unchanged(), rows))
    return None if wanted.total() or not stored else ChosenExamples(chosen)


def without_trained(folder: RunFolder, data: DataSplits) -> tuple[DataSplits, str]:
    """Data without the held-out examples that a run was trained on, and how many these are, in words; "": none.

    Raises:
        DataError: if all are.
    """
    examples = data.held_out
    trained = set(_stored_items(folder, "train"))
    digests = item_digests(examples)
    if digests is None or not trained:
        if _have_a_run_in_common(data.train, examples):
            raise DataError("the run was trained on a part of this data")
        return data, ""
    rows = [index for index, one in enumerate(digests) if one not in trained]
    if not rows:
        raise DataError(f"the run was trained on all {len(examples)} examples")
    left_out = len(examples) - len(rows)
    if not left_out:
        return data, ""
    note = f"{left_out} examples that the run was trained on are left out"
    return replace(data, held_out=ChosenExamples([(examples, rows)])), note


def _have_a_run_in_common(train: Examples, examples: Examples) -> bool:
    """Whether one of some runs of the values to train on, such as a passage of a text, is in other data, too."""
    for ours, theirs in zip(train.tensors(), examples.tensors(), strict=False):
        whole = theirs.contiguous().numpy().tobytes()
        last = len(ours) - _RUN
        starts = range(0, max(0, last), max(1, last // _RUNS))
        for run in (ours[start : start + _RUN] for start in starts):
            varied = len(set(run.double().diff(dim=0).flatten().tolist())) > _VARIED
            if varied and run.contiguous().numpy().tobytes() in whole:
                return True
    return False


def _stored_items(folder: RunFolder, split: str) -> list[str]:
    """The hashes of the examples of a split, as a run stores them; empty if it does not."""
    if not (folder.path / DATA).exists():
        return []
    before = folder.read_json(DATA).get(split)
    items = before.get("items") if isinstance(before, Mapping) else None
    return split_digests(items) if isinstance(items, str) else []
