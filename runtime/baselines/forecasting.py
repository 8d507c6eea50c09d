"""Forecasts without a network."""

from __future__ import annotations

from torch import Tensor

from runtime.data.dataset import Batch


def last_value(past: Tensor, horizon: int) -> Tensor:
    """That nothing changes: past [B, T, C] -> [B, horizon, C]."""
    return past[:, -1:].expand(-1, horizon, -1)


def forecasts(batch: Batch) -> dict[str, Tensor]:
    """The baselines' forecasts [B, horizon, C] by name: `last`, and `seasonal` where the series has a season."""
    found = {"last": last_value(batch["past"], batch["future"].shape[1])}
    return found | ({"seasonal": batch["seasonal"]} if "seasonal" in batch else {})
