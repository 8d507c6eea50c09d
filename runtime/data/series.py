"""Time series as windows of past and future values: the examples of forecasting."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

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
    """All windows of a series whose future is within a range of times.

    Batches are `past` float[B, length, C] and `future` float[B, horizon, C]; with a season
    also `seasonal` float[B, horizon, C]: for each future time, the latest value of the past
    that is whole seasons earlier.

    Args:
        values: the series, float[N, C].
        start, end: range of the future's times; `end` is exclusive.
        length: number of past times.
        horizon: number of future times.
        season: period in time steps; 0: none.
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
        self.starts = torch.arange(start, max(start, end - horizon + 1))
        self._past = torch.arange(-length, 0)
        self._future = torch.arange(horizon)
        self._seasonal = self._future % season - season if season else None

    def __len__(self) -> int:
        return len(self.starts)

    def __getitems__(self, indices: list[int]) -> Batch:
        starts = self.starts[torch.tensor(indices)][:, None]
        batch = {
            "past": self.values[starts + self._past],
            "future": self.values[starts + self._future],
        }
        if self._seasonal is not None:
            batch["seasonal"] = self.values[starts + self._seasonal]
        return batch

    def tensors(self) -> Iterable[Tensor]:
        return (self.starts, self.values)


def series(
    values: NDArray[np.float64],
    names: Sequence[str],
    options: SeriesOptions,
    section: DataSection,
    option: str = "",
    own: Mapping[str, NDArray[np.float64]] | None = None,
) -> DataSplits:
    """A series [N, C], standardised by the training part; its end is held out, or a series of its own.

    Missing values (NaN) are interpolated; those of the training part without the held-out part.

    The past of a held-out window may be in the training part, its future is not. The
    metadata are `mean`, `std`, `season`, `columns`, and `end`: the last values [length, C],
    not standardised.

    Args:
        values: the series.
        names: names of the columns.
        options: length, horizon, season and fraction held out.
        section: where errors are reported.
        option: the option at which errors are reported.
        own: the series `validation` and `test`, if they are not parts of the first; also options.

    Raises:
        SpecError: if a series is too short.
    """
    length, horizon, season, own = (
        options.length,
        options.horizon,
        options.season,
        own or {},
    )
    split = (
        len(values)
        if "validation" in own
        else round(len(values) * (1 - options.held_out))
    )
    first = max(length, season)
    _check_length(len(values), split, first, horizon, section, option)
    for name, part in own.items():
        _check_length(len(part), len(part), first, horizon, section, name)
    if np.isnan(values[:split]).all(0).any():
        message = "a column has no values in the training part"
        section.fail("data-empty", message, option)
    values = np.concatenate([interpolate(values[:split]), interpolate(values)[split:]])
    mean, std = values[:split].mean(0), values[:split].std(0)
    std = np.where(std > 0, std, 1.0)
    scaled = torch.tensor((values - mean) / std, dtype=torch.float32)
    metadata = {
        "mean": mean.tolist(),
        "std": std.tolist(),
        "season": season,
        "columns": list(names),
        "end": values[-length:].tolist(),
    }
    train = SeriesWindows(scaled, length, split, length, horizon)
    held_out = SeriesWindows(scaled, split, len(values), length, horizon, season)
    parts = {
        name: SeriesWindows(
            torch.tensor((interpolate(part) - mean) / std, dtype=torch.float32),
            first,
            len(part),
            length,
            horizon,
            season,
        )
        for name, part in own.items()
    }
    held_out = parts.get("validation", held_out)
    facts = DataFacts("series", features=len(names))
    return DataSplits(train, held_out, facts, metadata, parts.get("test"))


def _check_length(
    size: int, split: int, first: int, horizon: int, section: DataSection, option: str
) -> None:
    parts = (
        ("for training", split, first + horizon),
        ("held out", size - split, horizon),
    )
    for use, count, needed in parts:
        if count < needed and (count or use == "for training"):
            message = f"the series is too short: {count} of its {size} values are {use}"
            help = f"`length`, `season` and `horizon` need {needed}"
            section.fail("data-empty", message, option, help=help)


def interpolate(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """A series [N, C] with missing values (NaN) interpolated linearly; at an end, the nearest value is repeated."""
    times = np.arange(len(values))
    out = values.copy()
    for column in out.T:
        missing = np.isnan(column)
        column[missing] = np.interp(times[missing], times[~missing], column[~missing])
    return out
