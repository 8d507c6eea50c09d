"""Split examples whose order means nothing."""

from __future__ import annotations

import torch
from torch import Tensor


def split_by_class(
    labels: Tensor, held_out: float, seed: int = 0
) -> tuple[Tensor, Tensor]:
    """Indices of training and of held-out examples, with the same fraction of every class held out.

    Args:
        labels: int[N].
        held_out: fraction to hold out, from 0 to 1.
        seed: of the random choice.

    Returns:
        Two int tensors, each ascending.
    """
    generator = torch.Generator().manual_seed(seed)
    train_parts, held_out_parts = [], []
    for label in sorted(set(labels.tolist())):
        indices = (labels == label).nonzero().flatten()
        indices = indices[torch.randperm(len(indices), generator=generator)]
        count = round(len(indices) * held_out)
        held_out_parts.append(indices[:count])
        train_parts.append(indices[count:])
    return torch.cat(train_parts).sort().values, torch.cat(held_out_parts).sort().values
