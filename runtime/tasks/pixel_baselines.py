"""Baselines of image and video classification: the most frequent class, and the nearest class mean."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from runtime.data.dataset import DataSplits, Examples

_MOST: Final = 2000
"""Maximum number of training examples that the means are computed from."""
_CHUNK: Final = 200
_Ints = NDArray[np.int64]


def pixel_predictions(data: DataSplits) -> dict[str, _Ints]:
    """The class int[N] that each baseline predicts for the held-out examples."""
    count = data.facts.classes or 0
    step = -(-len(data.train) // _MOST)
    sums, sizes = torch.zeros(()), torch.zeros(count)
    for values, labels in _flat(data.train, step):
        one_hot = F.one_hot(labels, count).float()
        sums, sizes = sums + one_hot.T @ values, sizes + one_hot.sum(0)
    means = (sums / sizes[:, None]).nan_to_num(nan=torch.inf)
    found = [
        torch.cdist(values, means).argmin(1) for values, _ in _flat(data.held_out, 1)
    ]
    nearest = torch.cat(found).numpy()
    majority = np.full_like(nearest, int(sizes.argmax()))
    return {"majority": majority, "nearest": nearest}


def _flat(examples: Examples, step: int) -> Iterator[tuple[Tensor, Tensor]]:
    """The values [B, D] and labels int[B] of every `step`-th example."""
    indices = range(0, len(examples), step)
    for start in range(0, len(indices), _CHUNK):
        batch = examples.__getitems__(list(indices[start : start + _CHUNK]))
        values = batch["image" if "image" in batch else "video"]
        yield values.flatten(1), batch["label"]
