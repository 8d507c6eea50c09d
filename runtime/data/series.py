"""Series as windows: a stretch of the past, and what comes then. The examples of forecasting."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from compiler.tasks.data.co2 import Co2
from compiler.tasks.data.csv import Csv
from compiler.tasks.data.sunspots import Sunspots
from compiler.tasks.data_facts import DataFacts
from runtime.data.data_section import DataSection
from runtime.data.dataset import Batch, DataSplits

SeriesOptions = Co2 | Csv | Sunspots


class SeriesWindows:
    """All stretches of a series whose future lies between two times.

    A batch is `past`: float[B, length, C] and `future`: float[B, horizon, C]; with a `season` also
    `seasonal`: float[B, horizon, C], for each time of the future the value that was known whole seasons before.

    Args:
        values: the series, float[N, C].
        start, end: the first time of a first future, and the one behind the last.
        length, horizon: times of the past, and of the future.
        season: the period, or 0.
    """

    def __init__(
        self,
        values: Tensor,
        start: int,
        end: int,
        length: int,
        horizon: int,
        season: int = 0,
    ) -> None:
        self.values = values
        self.starts = torch.arange(start, end - horizon + 1)
        self._past = torch.arange(-length, 0)
        self._future = torch.arange(horizon)
        self._before = self._future % season - season if season else None

    def __len__(self) -> int:
        return len(self.starts)

    def __getitems__(self, indices: list[int]) -> Batch:
        starts = self.starts[torch.tensor(indices)][:, None]
        batch = {
            "past": self.values[starts + self._past],
            "future": self.values[starts + self._future],
        }
        if self._before is not None:
            batch["seasonal"] = self.values[starts + self._before]
        return batch


def series(
    values: NDArray[np.float64],
    names: Sequence[str],
    options: SeriesOptions,
    section: DataSection,
    option: str = "",
) -> DataSplits:
    """A series [N, C], its end held out; scaled by mean and deviation of the part before.

    The past of a held-out stretch may lie in the training part, its future never does.
    `metadata` has `mean`, `std`, `season`, `columns`, and `end`: the last values, [length, C] as they were read.

    Raises:
        SpecError: where the series is too short; `option` is to blame.
    """
    length, horizon, season = options.length, options.horizon, options.season
    cut = round(len(values) * (1 - options.held_out))
    first = max(length, season)
    _hold_size(len(values), cut, first, horizon, section, option)
    mean, std = values[:cut].mean(0), values[:cut].std(0)
    std = np.where(std > 0, std, 1.0)
    scaled = torch.tensor((values - mean) / std, dtype=torch.float32)
    metadata = {
        "mean": mean.tolist(),
        "std": std.tolist(),
        "season": season,
        "columns": list(names),
        "end": values[-length:].tolist(),
    }
    train = SeriesWindows(scaled, length, cut, length, horizon)
    held = SeriesWindows(scaled, cut, len(values), length, horizon, season)
    return DataSplits(train, held, DataFacts("series", features=len(names)), metadata)


def _hold_size(
    size: int, cut: int, first: int, horizon: int, section: DataSection, option: str
) -> None:
    parts = (("to train on", cut, first + horizon), ("held out", size - cut, horizon))
    for what, have, need in parts:
        if have < need:
            message = f"the series is too short: {have} of its {size} values are {what}"
            help = f"there must be {need}, by `length`, `season` and `horizon`"
            section.fail("data-empty", message, option, help=help)


def filled(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """A series [N] with what is missing (NaN) on a straight line between its neighbours, at an end as its neighbour."""
    missing = np.isnan(values)
    times = np.arange(len(values))
    known = np.interp(times[missing], times[~missing], values[~missing])
    out = values.copy()
    out[missing] = known
    return out
