"""Forecasts without a network: the baselines of forecasting."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import Ridge
from torch import Tensor

from runtime.data.dataset import Batch, Examples

_MOST: Final = 20_000_000
"""Maximum number of values that a linear model is fitted on."""
_BATCH: Final = 1024


def repeat_last_value(batch: Batch) -> Tensor:
    """A forecast that nothing changes: float[B, horizon, targets]."""
    _, horizon, targets = batch["future"].shape
    return batch["past"][:, -1:, :targets].expand(-1, horizon, -1)


def linear_forecasts(train: Examples, batches: Iterable[Batch]) -> Tensor:
    """Forecasts [N, horizon, targets] by a linear model for each series, fitted on the windows to train on."""
    models: dict[int, Ridge] = {}
    parts = []
    for batch in batches:
        numbers = _numbers(batch)
        future = torch.zeros_like(batch["future"], device="cpu")
        for number in set(numbers.tolist()):
            if not models:
                models = _fitted(train)
            rows = numbers == number
            if number in models:
                predicted = models[number].predict(_inputs(batch)[rows])
                shaped = torch.tensor(predicted, dtype=torch.float32)
                future[rows] = shaped.view_as(future[rows])
        parts.append(future)
    return torch.cat(parts)


def _fitted(train: Examples) -> dict[int, Ridge]:
    """A linear model for each series, by its number."""
    found = list(_batches(train))
    inputs = np.concatenate([_inputs(batch) for batch in found])
    futures = np.concatenate(
        [batch["future"].flatten(1).numpy().astype(float) for batch in found]
    )
    numbers = np.concatenate([_numbers(batch) for batch in found])
    return {
        int(number): Ridge(alpha=1.0).fit(
            inputs[numbers == number], futures[numbers == number]
        )
        for number in set(numbers.tolist())
    }


def _batches(train: Examples) -> Iterator[Batch]:
    """Windows to train on, evenly chosen if there are many."""
    first = train.__getitems__([0])
    size = _inputs(first).shape[1] + first["future"].flatten(1).shape[1]
    most = max(1, _MOST // size)
    stride = -(-len(train) // most)
    rows = range(0, len(train), stride)
    for start in range(0, len(rows), _BATCH):
        yield train.__getitems__(list(rows[start : start + _BATCH]))


def _inputs(batch: Batch) -> NDArray[np.float64]:
    """All inputs of windows, float[B, values]."""
    roles = [batch[role].flatten(1) for role in ("past", "known") if role in batch]
    return torch.cat(roles, 1).cpu().numpy().astype(float)


def _numbers(batch: Batch) -> NDArray[np.int64]:
    """The number of the series of each window."""
    size = len(batch["past"])
    numbers = batch.get("series", torch.zeros(size, dtype=torch.int64))
    found: NDArray[np.int64] = numbers.cpu().numpy()
    return found
