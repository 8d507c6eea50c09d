"""A loaded data set: batches of examples, and the metadata that a run stores."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

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
    """

    train: Examples
    held_out: Examples
    facts: DataFacts
    metadata: Mapping[str, Any] = field(default_factory=dict)
    test: Examples | None = None
    test_metadata: Mapping[str, Any] = field(default_factory=dict)

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


def fingerprint(examples: Examples) -> dict[str, Any]:
    """The number of examples and a hash of their content, to tell whether data has changed."""
    found = hashlib.blake2b(digest_size=16)
    for tensor in examples.tensors():
        found.update(f"{tensor.dtype} {list(tensor.shape)};".encode())
        found.update(tensor.contiguous().numpy().data)
    return {"examples": len(examples), "digest": found.hexdigest()}


def fingerprints(data: DataSplits) -> dict[str, Any]:
    """The fingerprints of all parts, as a run stores them."""
    parts = {"train": data.train, "held_out": data.held_out, "test": data.test}
    return {name: fingerprint(part) for name, part in parts.items() if part is not None}


def keep_batch(batch: Batch | Sequence[Batch]) -> Any:
    """A `collate_fn` for examples that are fetched as a batch."""
    return batch
