"""The order of training examples: shuffled anew in each epoch, and reproducible from the seed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Final

import torch
from torch.utils.data import DataLoader, Sampler

from compiler.diagnostics.diagnostic import DataError, SpecError
from runtime.data.dataset import Batch, Examples, SeededIndices, keep_batch

BUCKET_BATCHES: Final = 50
"""Number of batches whose examples are sorted by length together."""


class ShuffledBatchSampler(Sampler[list[int]]):
    """The batches of one epoch for one of several processes.

    All processes shuffle the same global batches, `world_size` times as large as their own, and
    each takes its part of every one: together they train as one process with larger batches.
    Examples at the end that do not fill a global batch are dropped, unless there are no others.

    With `lengths`, batches have examples of similar length, so that there is little padding:
    examples are sorted by length within buckets of batches, and the batches shuffled again.

    Args:
        length: number of examples.
        batch_size: number of examples in a batch of one process.
        seed: random seed.
        rank: index of the process.
        world_size: number of processes.
        lengths: the length of each example.

    Attributes:
        epoch: index of the epoch; set before iterating.
        start: number of batches to skip, to resume within an epoch.
    """

    def __init__(
        self,
        length: int,
        batch_size: int,
        seed: int,
        rank: int = 0,
        world_size: int = 1,
        lengths: Sequence[int] | None = None,
    ) -> None:
        self.length, self.seed, self.lengths = length, seed, lengths
        self.rank, self.world_size = rank, world_size
        self.batch_size = min(batch_size, max(length // world_size, 1))
        self.epoch = self.start = 0

    def __len__(self) -> int:
        """Number of batches in a whole epoch."""
        return max(self.length // (self.batch_size * self.world_size), 1)

    def __iter__(self) -> Iterator[list[int]]:
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.epoch)
        order = torch.randperm(self.length, generator=generator).tolist()
        size = self.batch_size * self.world_size
        batches = [order[i * size : (i + 1) * size] for i in range(len(self))]
        if self.lengths is not None:
            batches = _bucket_by_length(batches, self.lengths, generator)
        seeds = torch.randint(2**62, (len(batches),), generator=generator).tolist()
        pairs = list(zip(batches, seeds, strict=True))
        for batch, seed in pairs[self.start :]:
            own = batch[self.rank * self.batch_size :][: self.batch_size]
            yield SeededIndices(own, seed + self.rank)


def _bucket_by_length(
    batches: list[list[int]], lengths: Sequence[int], generator: torch.Generator
) -> list[list[int]]:
    """The examples of the batches, sorted by length within each bucket, as shuffled batches."""
    bucketed = []
    for start in range(0, len(batches), BUCKET_BATCHES):
        bucket = batches[start : start + BUCKET_BATCHES]
        examples = iter(sorted(chain.from_iterable(bucket), key=lengths.__getitem__))
        bucketed += [list(islice(examples, len(batch))) for batch in bucket]
    order = torch.randperm(len(bucketed), generator=generator).tolist()
    return [bucketed[i] for i in order]


def shuffled_loader(
    examples: Examples, sampler: ShuffledBatchSampler
) -> DataLoader[Batch | Exception]:
    """A DataLoader over the batches of a sampler, to be wrapped in `Batches`."""
    return _loader(examples, sampler)


def sequential_loader(examples: Examples, batch_size: int) -> Batches:
    """All examples in order as batches; the last may be smaller."""
    indices = range(len(examples))
    batches = [
        list(indices[start : start + batch_size])
        for start in range(0, len(indices), batch_size)
    ]
    return Batches(_loader(examples, batches))


class _Guarded:
    """Examples that return an error in place of the batch: raised in another process, it would lose its type."""

    def __init__(self, examples: Examples) -> None:
        self.examples = examples

    def __len__(self) -> int:
        return len(self.examples)

    def __getitems__(self, indices: list[int]) -> Batch | Exception:
        try:
            return self.examples.__getitems__(indices)
        except (DataError, SpecError) as error:
            return error


@dataclass(frozen=True)
class Batches:
    """The batches of a loader, epoch after epoch; an error of the data is raised here.

    Attributes:
        loader: a loader of this module.
    """

    loader: Iterable[Batch | Exception]

    def __iter__(self) -> Iterator[Batch]:
        for batch in self.loader:
            if isinstance(batch, Exception):
                raise batch
            yield batch


def _loader(
    examples: Examples, batches: Sampler[list[int]] | list[list[int]]
) -> DataLoader[Batch | Exception]:
    # Its own generator: the loader does not advance the one that dropout uses.
    generator = torch.Generator().manual_seed(0)
    return DataLoader(
        _Guarded(examples),  # type: ignore[arg-type]  # not a torch Dataset, but all that a loader uses
        batch_sampler=batches,
        num_workers=getattr(examples, "workers", 0),
        collate_fn=keep_batch,
        generator=generator,
    )
