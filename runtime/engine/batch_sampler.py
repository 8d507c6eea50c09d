"""The order of the examples: another in each epoch, and the same whenever the epoch is begun again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import Final

import torch
from torch.utils.data import DataLoader, Sampler

from runtime.data.dataset import Batch, Examples, keep_batch

POOL: Final = 50
"""Batches whose examples are sorted by length together."""


class ShuffledBatchSampler(Sampler[list[int]]):
    """Batches of one epoch for one of several processes.

    All processes see one order, of batches `world` times as large, and each takes its
    part of every one: together they learn what one process learns with larger batches.
    What is left at the end that does not fill a batch for every process is left out,
    unless it is all there is.

    Examples that have lengths are put together with those of about the same one, so that
    there is little padding: the order is sorted by length in pools of some batches, and the
    batches are shuffled anew.

    Attributes:
        start: batches to leave out at the start, for an epoch that goes on.
    """

    def __init__(
        self,
        length: int,
        batch_size: int,
        seed: int,
        rank: int = 0,
        world: int = 1,
        lengths: Sequence[int] | None = None,
    ) -> None:
        self.lengths = lengths
        self.size = min(batch_size, max(length // world, 1))
        self.length, self.seed, self.rank, self.world = length, seed, rank, world
        self.epoch = self.start = 0

    def __len__(self) -> int:
        """Batches of a whole epoch."""
        return max(self.length // (self.size * self.world), 1)

    def __iter__(self) -> Iterator[list[int]]:
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.epoch)
        order = torch.randperm(self.length, generator=generator).tolist()
        whole = self.size * self.world
        batches = [order[i * whole : (i + 1) * whole] for i in range(len(self))]
        if self.lengths is not None:
            batches = _alike(batches, self.lengths, generator)
        for batch in batches[self.start :]:
            yield batch[self.rank * self.size :][: self.size]


def _alike(
    batches: list[list[int]], lengths: Sequence[int], generator: torch.Generator
) -> list[list[int]]:
    """The same examples, those of a pool of batches sorted by length, in batches that are shuffled."""
    found = []
    for start in range(0, len(batches), POOL):
        pool = batches[start : start + POOL]
        rows = iter(sorted(chain.from_iterable(pool), key=lengths.__getitem__))
        found += [list(islice(rows, len(batch))) for batch in pool]
    places = torch.randperm(len(found), generator=generator).tolist()
    return [found[place] for place in places]


def shuffled_loader(
    examples: Examples, order: ShuffledBatchSampler
) -> DataLoader[Batch]:
    """A DataLoader in this order."""
    return _loader(examples, order)


def plain_loader(examples: Examples, batch_size: int) -> DataLoader[Batch]:
    """A DataLoader through all examples once, one after the other."""
    numbers = range(len(examples))
    batches = [
        list(numbers[start : start + batch_size])
        for start in range(0, len(numbers), batch_size)
    ]
    return _loader(examples, batches)


def _loader(
    examples: Examples, batches: Sampler[list[int]] | list[list[int]]
) -> DataLoader[Batch]:
    # With a generator of its own it does not draw from the one that dropout uses.
    generator = torch.Generator().manual_seed(0)
    return DataLoader(
        examples,  # type: ignore[arg-type]  # torch asks for a class, and uses no more than this
        batch_sampler=batches,
        collate_fn=keep_batch,
        generator=generator,
    )
