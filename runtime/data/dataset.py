"""What a data set gives to the engine: examples by batches, and what a run must keep of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor

from compiler.tasks.data_facts import DataFacts

Batch = dict[str, Tensor]
"""Tensors by role (`image`, `label`, `tokens`, ...), the examples along their first dimension."""


class Examples(Protocol):
    """Examples that are fetched by batches; a `torch.utils.data.Dataset`, as a DataLoader sees it."""

    def __len__(self) -> int:
        """How many there are."""

    def __getitems__(self, indices: list[int]) -> Batch:
        """The examples of these numbers as one batch."""


@dataclass(frozen=True)
class DataSplits:
    """A data set that has been read.

    Attributes:
        train, held_out: the examples to learn from, and those to judge by.
        facts: their sizes, none of them unknown that matters to the task.
        metadata: what a run keeps of it as JSON, to be used without the data: the names of
            classes, the tokenizers, the scale of a series.
    """

    train: Examples
    held_out: Examples
    facts: DataFacts
    metadata: Mapping[str, Any] = field(default_factory=dict)


class TensorExamples:
    """Examples that are rows of tensors: a batch is these rows."""

    def __init__(self, columns: Mapping[str, Tensor]) -> None:
        self.columns = dict(columns)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def __getitems__(self, indices: list[int]) -> Batch:
        rows = torch.tensor(indices)
        return {role: column[rows] for role, column in self.columns.items()}


def keep_batch(batch: Batch | Sequence[Batch]) -> Any:
    """The batch as it is: what a DataLoader collates."""
    return batch
