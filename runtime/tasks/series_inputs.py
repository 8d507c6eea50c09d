"""What a network forecasts from: the end of the data, or a CSV file of the user's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.diagnostics.diagnostic import DataError, RequestError
from compiler.diagnostics.text import listed, shorten
from compiler.tasks.data.csv import Csv
from compiler.tasks.series_data import SeriesData
from runtime.data.csv import read_series
from runtime.data.dates import Step, calendar_columns
from runtime.data.series import Series, interpolate
from runtime.tasks.user_inputs import read_user_csv


@dataclass(frozen=True)
class SeriesInput:
    """What one forecast is made from.

    Attributes:
        number: the number of the series among those of the run.
        name: its name; "" if the run has one series.
        past: the last values, float[length, C], not standardised.
        known: the known columns at the times to forecast, float[horizon, K], not standardised.
        dates: these times; empty if they are not known.
    """

    number: int
    name: str
    past: NDArray[np.float64]
    known: NDArray[np.float64]
    dates: Sequence[datetime]


def end_of_data(
    options: SeriesData, described: Sequence[Mapping[str, Any]]
) -> list[SeriesInput]:
    """The ends of the series that a run was trained on.

    Raises:
        RequestError: if columns are known of the future, but here nobody knows them.
    """
    if options.known_columns:
        message = f"predict needs a CSV file with {listed(options.known_columns)}"
        raise RequestError(f"{message} at the times to forecast")
    found = []
    for number, one in enumerate(described):
        dates: list[datetime] = []
        if one.get("step"):
            last = datetime.fromisoformat(one["date"])
            dates = Step(**one["step"]).after(last, options.horizon)
        known = _calendar(dates, options)
        past = np.array(one["end"])
        found.append(SeriesInput(number, one["name"], past, known, dates))
    return found


def read_past(
    file: str, options: SeriesData, names: Sequence[str]
) -> list[SeriesInput]:
    """The ends of the series of a CSV file. Lines after the last value of a series are of the future.

    Args:
        file: its path.
        options: the data set of the run.
        names: the names of the series that it was trained on.

    Raises:
        SpecError: if the file lacks a column or has an invalid line.
        RequestError: if it does not exist.
        DataError: if a series is too short or unknown, or what is to be known of the future is missing.
    """
    found = []
    for one in read_series(read_user_csv(file), _as_csv(file, options)):
        if one.name not in names:
            known = shorten(listed(names), 100)
            message = f"{file}: the run has no series {one.name}, but {known}"
            raise DataError(message)
        found.append(_split(file, one, names.index(one.name), options))
    return found


def _as_csv(file: str, options: SeriesData) -> Csv:
    """The options by which a user's file is read; of a data set that is no CSV file, columns have fixed names."""
    if isinstance(options, Csv):
        return options
    written: dict[str, Any] = {"path": file, "columns": options.targets}
    if options.calendar_parts:
        written |= {"time": "date", "calendar": options.calendar_parts}
    if options.several:
        written["series"] = "series"
    return Csv.model_validate(written)


def _split(file: str, one: Series, number: int, options: SeriesData) -> SeriesInput:
    """The past and the future of a series in a user's file."""
    of = f"{file}, {one.name}," if one.name else file
    targets, observed = len(options.targets), len(options.observed_columns)
    there = np.flatnonzero(~np.isnan(one.values[:, :targets]).all(axis=1))
    size = int(there.max(initial=-1)) + 1
    if size < options.length:
        message = f"{of} has {size} rows, but the network needs {options.length}"
        raise DataError(message)
    past = interpolate(one.values[:size])[-options.length :]
    if np.isnan(past).any():
        raise DataError(f"{of} has a column without values")
    dates: list[datetime] = []
    if one.step is not None:
        dates = one.step.after(one.dates[size - 1], options.horizon)
    start = targets + observed
    columns = slice(start, start + len(options.known_columns))
    future = np.full((options.horizon, len(options.known_columns)), np.nan)
    given = one.values[size : size + options.horizon, columns]
    future[: len(given)] = given
    if np.isnan(future).any():
        message = f"{of} must have {options.horizon} lines after the last value"
        raise DataError(f"{message}, with {listed(options.known_columns)}")
    known = np.concatenate([future, _calendar(dates, options)], axis=1)
    return SeriesInput(number, one.name, past, known, dates)


def _calendar(dates: Sequence[datetime], options: SeriesData) -> NDArray[np.float64]:
    """The columns of the calendar at the times to forecast, float[horizon, 2 parts].

    Raises:
        DataError: if there are no dates for them.
    """
    if not options.calendar_parts:
        return np.empty((options.horizon, 0))
    if not dates:
        raise DataError("a series needs at least two dates")
    return calendar_columns(dates, options.calendar_parts)
