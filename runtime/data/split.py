"""Split examples whose order means nothing."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor


class SplitOptions(Protocol):
    """The options of a data set that is split at random."""

    @property
    def held_out(self) -> float: ...

    @property
    def split_seed(self) -> int: ...

    @property
    def fold(self) -> int: ...


def split_by_class(labels: Tensor, options: SplitOptions) -> tuple[Tensor, Tensor]:
    """Indices of training and of held-out examples, with the same fraction of every class held out.

    Args:
        labels: int[N].
        options: the fraction to hold out, the seed of the random choice, and the fold that is held out: with
            the same seed, folds have no example in common.

    Returns:
        Two int tensors, each ascending.
    """
    generator = torch.Generator().manual_seed(options.split_seed)
    train_parts, held_out_parts = [torch.arange(0)], [torch.arange(0)]
    for label in sorted(set(labels.tolist())):
        indices = (labels == label).nonzero().flatten()
        indices = indices[torch.randperm(len(indices), generator=generator)]
        start, stop = (
            round(len(indices) * options.held_out * number)
            for number in (options.fold, options.fold + 1)
        )
        held_out_parts.append(indices[start:stop])
        train_parts.append(torch.cat([indices[:start], indices[stop:]]))
    return torch.cat(train_parts).sort().values, torch.cat(held_out_parts).sort().values
