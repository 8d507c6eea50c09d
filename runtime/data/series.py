"""Time series as windows of past and future values: the examples of forecasting."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from compiler.tasks.series_data import SeriesData
from runtime.data.data_section import DataSection
from runtime.data.dataset import Batch, DataSplits
from runtime.data.dates import Step

_SMALLEST: Final = 1e-12
"""Mean error of the seasonal baseline below which it is taken for none."""


@dataclass(frozen=True)
class Series:
    """One series.

    Attributes:
        values: float[N, C]: columns to forecast, observed columns, known columns; NaN where a value is missing.
        name: its name, of several.
        dates: its times, if they are known.
        step: the time between two of them.
    """

    values: NDArray[np.float64]
    name: str = ""
    dates: Sequence[datetime] = ()
    step: Step | None = None


@dataclass(frozen=True)
class WindowSizes:
    """The sizes of a window.

    Attributes:
        length: number of past times.
        horizon: number of future times.
        season: period in time steps; 0: there is no seasonal baseline.
        targets: number of columns to forecast, the first ones.
        known: number of columns that are known of the future, the last ones.
    """

    length: int
    horizon: int
    season: int = 0
    targets: int = 1
    known: int = 0

    @property
    def first(self) -> int:
        """The first time that can be forecast."""
        return max(self.length, self.season)


class SeriesWindows:
    """All windows of several series whose future is within a range of times.

    Batches are `past` float[B, length, C] and `future` float[B, horizon, targets]; with known columns also `known`
    float[B, horizon, known]; of several series `series` int[B]; with a season `seasonal` float[B, horizon, targets]:
    for each future time, the latest value of the past that is whole seasons earlier.

    Args:
        values: the series, each float[N, C].
        ranges: the range of the future's times in each; its end is exclusive.
        sizes: the sizes of windows.
    """

    def __init__(
        self,
        values: Sequence[Tensor],
        ranges: Sequence[tuple[int, int]],
        sizes: WindowSizes,
    ) -> None:
        self.values, self.sizes = torch.cat(list(values)), sizes
        starts, numbers, offset = [], [], 0
        for number, (one, (start, end)) in enumerate(zip(values, ranges, strict=True)):
            found = torch.arange(start, max(start, end - sizes.horizon + 1)) + offset
            starts.append(found)
            numbers.append(torch.full_like(found, number))
            offset += len(one)
        self.starts, self.numbers = torch.cat(starts), torch.cat(numbers)
        self._several = len(values) > 1
        self._past = torch.arange(-sizes.length, 0)
        self._future = torch.arange(sizes.horizon)

    def __len__(self) -> int:
        return len(self.starts)

    def __getitems__(self, indices: list[int]) -> Batch:
        rows = torch.tensor(indices, dtype=torch.int64)
        starts, sizes = self.starts[rows][:, None], self.sizes
        future = self.values[starts + self._future]
        batch = {
            "past": self.values[starts + self._past],
            "future": future[..., : sizes.targets],
        }
        if sizes.known:
            batch["known"] = future[..., -sizes.known :]
        if self._several:
            batch["series"] = self.numbers[rows]
        if sizes.season:
            seasonal = self._future % sizes.season - sizes.season
            batch["seasonal"] = self.values[starts + seasonal][..., : sizes.targets]
        return batch

    def tensors(self) -> Iterable[Tensor]:
        return (self.starts, self.values)


def series(
    parts: Sequence[Series],
    options: SeriesData,
    section: DataSection,
    option: str = "",
    own: Mapping[str, Sequence[Series]] | None = None,
) -> DataSplits:
    """Series, each standardised by its training part; their ends are held out, or series of their own.

    Missing values (NaN) are interpolated; those of the training part without the held-out part.

    The past of a held-out window may be in the training part, its future is not. The
    metadata are `season`, `columns` to forecast, `known` columns, and of each series `mean`, `std`, the mean `error`
    of the seasonal baseline in the training part, and its `end`: the last values [length, C], not standardised, with
    the last `date` and the `step` if there are dates.

    Args:
        parts: the series.
        options: length, horizon, season and fraction held out.
        section: where errors are reported.
        option: the option at which errors are reported.
        own: the series `validation` and `test`, if they are not parts of the first; also options.

    Raises:
        SpecError: if a series is too short.
    """
    facts = replace(options.facts(), series=len(parts))
    sizes = _window_sizes(options, facts.known)
    own = own or {}
    held_out = 0.0 if "validation" in own else options.held_out
    splits = [round(len(one.values) * (1 - held_out)) for one in parts]
    for one, split in zip(parts, splits, strict=True):
        _check_length(one, split, sizes, section, option)
        _check_columns(one, split, section, option)
    filled = [_filled(one, split) for one, split in zip(parts, splits, strict=True)]
    described = [
        _described(one, values, split, sizes)
        for one, values, split in zip(parts, filled, splits, strict=True)
    ]
    scaled = [
        standardised(values, one) for values, one in zip(filled, described, strict=True)
    ]
    train, held = _split_windows(scaled, splits, sizes)
    found = {
        name: _own_windows(name, one, parts, described, sizes, section)
        for name, one in own.items()
    }
    metadata = {
        "columns": list(options.targets),
        "season": options.season,
        "series": described,
    }
    held = found.get("validation", held)
    return DataSplits(train, held, facts, metadata, found.get("test"))


def _window_sizes(options: SeriesData, known: int) -> WindowSizes:
    targets = len(options.targets)
    return WindowSizes(options.length, options.horizon, options.season, targets, known)


def _filled(one: Series, split: int) -> NDArray[np.float64]:
    """A series without missing values; those before the split do not depend on what is after it."""
    training = interpolate(one.values[:split])
    return np.concatenate([training, interpolate(one.values)[split:]])


def _split_windows(
    scaled: Sequence[Tensor], splits: Sequence[int], sizes: WindowSizes
) -> tuple[SeriesWindows, SeriesWindows]:
    """The windows to train on, and those that are held out: the ends of the series."""
    ends = [len(values) for values in scaled]
    first = [sizes.length] * len(scaled)
    train = SeriesWindows(
        scaled, list(zip(first, splits, strict=True)), replace(sizes, season=0)
    )
    return train, SeriesWindows(scaled, list(zip(splits, ends, strict=True)), sizes)


def _own_windows(
    option: str,
    own: Sequence[Series],
    parts: Sequence[Series],
    described: Sequence[Mapping[str, Any]],
    sizes: WindowSizes,
    section: DataSection,
) -> SeriesWindows:
    """The windows of a file of its own, whose series are some of those to train on.

    Raises:
        SpecError: if a series is not, or is too short.
    """
    known = [one.name for one in parts]
    by_name = {one.name: one for one in own}
    for name, one in by_name.items():
        if name not in known:
            message = f"the series {name} is not among those to train on"
            section.fail("data-label", message, option)
        _check_length(one, len(one.values), sizes, section, option)
    values, ranges = [], []
    for name, scale in zip(known, described, strict=True):
        there = by_name.get(name)
        if there is None:
            values.append(torch.zeros(0, len(scale["mean"])))
            ranges.append((0, 0))
        else:
            values.append(standardised(interpolate(there.values), scale))
            ranges.append((sizes.first, len(there.values)))
    return SeriesWindows(values, ranges, sizes)


def _described(
    one: Series, values: NDArray[np.float64], split: int, sizes: WindowSizes
) -> dict[str, Any]:
    """What a run stores of a series, whose training part is before the split."""
    train = values[:split]
    std = train.std(0)
    targets = train[:, : sizes.targets]
    season = sizes.season if len(train) > sizes.season else 1
    error = np.abs(targets[season:] - targets[:-season]).mean(0)
    described: dict[str, Any] = {
        "name": one.name,
        "mean": train.mean(0).tolist(),
        "std": np.where(std > 0, std, 1.0).tolist(),
        "error": np.where(error > _SMALLEST, error, 1.0).tolist(),
        "end": values[-sizes.length :].tolist(),
    }
    if one.step is not None:
        described["date"] = one.dates[-1].isoformat()
        described["step"] = asdict(one.step)
    return described


def standardised(values: NDArray[np.float64], scale: Mapping[str, Any]) -> Tensor:
    """Values [N, C] by the mean and the standard deviation of a series: float32."""
    mean, std = np.array(scale["mean"]), np.array(scale["std"])
    return torch.tensor((values - mean) / std, dtype=torch.float32)


def _check_length(
    one: Series, split: int, sizes: WindowSizes, section: DataSection, option: str
) -> None:
    size = len(one.values)
    parts = (
        ("for training", split, sizes.first + sizes.horizon),
        ("held out", size - split, sizes.horizon),
    )
    for use, count, needed in parts:
        if count < needed and (count or use == "for training"):
            of = f" {one.name}" if one.name else ""
            message = (
                f"the series{of} is too short: {count} of its {size} values are {use}"
            )
            help = f"`length`, `season` and `horizon` need {needed}"
            section.fail("data-empty", message, option, help=help)


def _check_columns(one: Series, split: int, section: DataSection, option: str) -> None:
    if np.isnan(one.values[:split]).all(0).any():
        of = f" of {one.name}" if one.name else ""
        message = f"a column{of} has no values in the training part"
        section.fail("data-empty", message, option)


def interpolate(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """A series [N, C] with missing values (NaN) interpolated linearly; at an end, the nearest value is repeated."""
    times = np.arange(len(values))
    out = values.copy()
    for column in out.T:
        missing = np.isnan(column)
        if not missing.all():
            column[missing] = np.interp(
                times[missing], times[~missing], column[~missing]
            )
    return out
