"""A loaded data set: batches of examples, and the metadata that a run stores."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol, runtime_checkable

import torch
from torch import Tensor

from compiler.tasks.data_facts import DataFacts

Batch = dict[str, Tensor]
"""Tensors by role (`image`, `label`, `tokens`, ...); the first dimension is the example."""


class SeededIndices(list[int]):
    """The indices of a training batch, with a seed for its random changes.

    With it they do not depend on which process makes the batch, nor on the batches before.
    """

    def __init__(self, indices: Iterable[int], seed: int) -> None:
        super().__init__(indices)
        self.seed = seed

    def __reduce__(self) -> tuple[Any, ...]:
        return SeededIndices, (list(self), self.seed)


def batch_seed(indices: list[int]) -> int | None:
    """The seed of a training batch; None if it has none."""
    return indices.seed if isinstance(indices, SeededIndices) else None


class Examples(Protocol):
    """A `torch.utils.data.Dataset` whose examples are fetched as batches."""

    def __len__(self) -> int:
        """The number of examples."""

    def __getitems__(self, indices: list[int]) -> Batch:
        """The examples with these indices as one batch."""

    def tensors(self) -> Iterable[Tensor]:
        """The tensors that the examples are made from, in an order that is always the same."""


@runtime_checkable
class ItemExamples(Examples, Protocol):
    """Examples of which each has tensors of its own, by which it is found again in other data."""

    def item(self, index: int) -> Iterable[Tensor]:
        """The tensors that an example is made from, in an order that is always the same."""


@runtime_checkable
class FixedExamples(ItemExamples, Protocol):
    """Examples of one size, of which batches can be put together with those of others."""

    def unchanged(self) -> Examples:
        """The same examples without random changes."""


class ChosenExamples:
    """Some examples of others.

    Args:
        parts: the others, each with the indices of those that are chosen.
    """

    def __init__(self, parts: Sequence[tuple[Examples, Sequence[int]]]) -> None:
        self._chosen = [(part, index) for part, rows in parts for index in rows]

    def __len__(self) -> int:
        return len(self._chosen)

    def __getitems__(self, indices: list[int]) -> Batch:
        chosen = [self._chosen[index] for index in indices]
        first = chosen[0][0]
        if all(part is first for part, _ in chosen):
            return first.__getitems__([index for _, index in chosen])
        rows = [part.__getitems__([index]) for part, index in chosen]
        return {role: torch.cat([row[role] for row in rows]) for role in rows[0]}

    def tensors(self) -> Iterable[Tensor]:
        for part, index in self._chosen:
            yield from part.__getitems__([index]).values()


@dataclass(frozen=True)
class DataSplits:
    """A data set, split into training and held-out examples.

    Attributes:
        train: the examples to train on.
        held_out: the examples that training is evaluated on; empty if nothing is held out.
        facts: the sizes of the data; those that matter to the task are known.
        metadata: what a run stores as JSON to use its networks without the data: class names,
            tokenizers, the scale of a series.
        test: the examples that only `evaluate` uses; None: the held-out ones.
        test_metadata: the metadata that differ for `test`.
        notes: what is worth knowing before training.
    """

    train: Examples
    held_out: Examples
    facts: DataFacts
    metadata: Mapping[str, Any] = field(default_factory=dict)
    test: Examples | None = None
    test_metadata: Mapping[str, Any] = field(default_factory=dict)
    notes: Sequence[str] = ()

    def held_out_test(self) -> DataSplits:
        """The same data with the test examples as those held out."""
        assert self.test is not None
        metadata = {**self.metadata, **self.test_metadata}
        return replace(self, held_out=self.test, metadata=metadata)


class TensorExamples:
    """Examples that are rows of tensors, as in `torch.utils.data.TensorDataset`.

    Args:
        columns: tensors [N, ...] by role.
    """

    def __init__(self, columns: Mapping[str, Tensor]) -> None:
        self.columns = dict(columns)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def __getitems__(self, indices: list[int]) -> Batch:
        rows = torch.tensor(indices, dtype=torch.int64)
        return {role: column[rows] for role, column in self.columns.items()}

    def tensors(self) -> Iterable[Tensor]:
        return self.columns.values()

    def item(self, index: int) -> Iterable[Tensor]:
        return [column[index] for column in self.columns.values()]

    def unchanged(self) -> TensorExamples:
        return self


_ITEM: Final = 8
"""Number of bytes of the hash of one example."""
MAX_ITEMS: Final = 100_000
"""Maximum number of examples of which each has a hash."""


def fingerprint(examples: Examples) -> dict[str, Any]:
    """The number of examples and a hash of their content, to tell whether data has changed.

    Also `items`, the hashes of all examples one after the other, if each has tensors of its own.
    """
    found = {"examples": len(examples), "digest": _digest(examples.tensors(), 16)}
    items = item_digests(examples)
    return found if items is None else {**found, "items": "".join(items)}


def item_digests(examples: Examples) -> list[str] | None:
    """The hash of each example; None if they are too many, or made from tensors in common."""
    if not isinstance(examples, ItemExamples) or len(examples) > MAX_ITEMS:
        return None
    return [_digest(examples.item(index), _ITEM) for index in range(len(examples))]


def split_digests(items: str) -> list[str]:
    """The hashes of examples that are stored one after the other."""
    return [items[at : at + 2 * _ITEM] for at in range(0, len(items), 2 * _ITEM)]


def _digest(tensors: Iterable[Tensor], size: int) -> str:
    found = hashlib.blake2b(digest_size=size)
    for tensor in tensors:
        found.update(f"{tensor.dtype} {list(tensor.shape)};".encode())
        found.update(tensor.contiguous().numpy().data)
    return found.hexdigest()


def fingerprints(data: DataSplits) -> dict[str, Any]:
    """The fingerprints of all parts, as a run stores them."""
    parts = {"train": data.train, "held_out": data.held_out, "test": data.test}
    return {name: fingerprint(part) for name, part in parts.items() if part is not None}


def keep_batch(batch: Batch | Sequence[Batch]) -> Any:
    """A `collate_fn` for examples that are fetched as a batch."""
    return batch
