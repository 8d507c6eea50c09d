"""Which examples are held out, where their order says nothing."""

from __future__ import annotations

import torch
from torch import Tensor


def split_by_class(
    labels: Tensor, share: float, seed: int = 0
) -> tuple[Tensor, Tensor]:
    """The numbers of the examples for training and of those held out, every class in the same share.

    `labels` is int[N]; each part is in ascending order.
    """
    generator = torch.Generator().manual_seed(seed)
    train, held = [], []
    for label in sorted(set(labels.tolist())):
        rows = (labels == label).nonzero().flatten()
        rows = rows[torch.randperm(len(rows), generator=generator)]
        cut = round(len(rows) * share)
        held.append(rows[:cut])
        train.append(rows[cut:])
    return torch.cat(train).sort().values, torch.cat(held).sort().values
