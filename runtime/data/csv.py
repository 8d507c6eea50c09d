"""Columns of CSV files as time series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from compiler.diagnostics.text import shorten
from compiler.tasks.data.csv import Csv
from runtime.data.csv_text import CsvText, read_csv
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits
from runtime.data.dates import Step, calendar_columns, read_date
from runtime.data.series import Series, series

_MOST: Final = 10_000
"""Maximum number of series."""


def load(options: Csv, section: DataSection) -> DataSplits:
    """The columns of the files; without a file for it, the end is held out. `series` fills missing values.

    Raises:
        SpecError: if a file does not exist, lacks a column, or has an invalid line.
    """
    parts = {
        option: read_series(read_csv(section, option, written), options)
        for option in ("path", "validation", "test")
        if (written := getattr(options, option)) is not None
    }
    first = parts.pop("path")
    return series(first, options, section, "path", parts)


def read_series(file: CsvText, options: Csv) -> list[Series]:
    """The series of a CSV file, in the order of their first lines.

    Raises:
        SpecError: if a column does not exist, is not numeric or is empty, or dates are not evenly spaced.
    """
    values = np.concatenate(
        [
            read_columns(file, options.targets, "columns"),
            read_columns(file, options.observed_columns, "observed"),
            read_columns(file, options.known_columns, "known"),
        ],
        axis=1,
    )
    dates = _dates(file, options.time)
    found = []
    for name, rows in _rows(file, options.series).items():
        own = [dates[row] for row in rows] if dates else []
        step = _step(file, rows, own, options.time) if len(own) > 1 else None
        calendar = calendar_columns(own, options.calendar) if own else None
        columns = values[rows]
        if calendar is not None:
            columns = np.column_stack([columns, calendar])
        found.append(Series(columns, name, own, step))
    return found


def read_columns(
    file: CsvText, columns: Sequence[str], option: str
) -> NDArray[np.float64]:
    """Columns of a CSV file by name, float[N, C]; missing values are NaN.

    Args:
        file: the file.
        columns: their names.
        option: the option that names them.

    Raises:
        SpecError: if a column does not exist, is not numeric, or is empty.
    """
    indices = [file.index(name, option) for name in columns]
    values = [file.numbers(index) for index in indices]
    for name, column in zip(columns, values, strict=True):
        if np.isnan(column).all():
            message = f"the column {name} of {file.path} has no values"
            file.section.fail("data-empty", message, "path")
    return np.stack(values, 1) if values else np.empty((len(file.records), 0))


def _rows(file: CsvText, column: str | None) -> Mapping[str, list[int]]:
    """The records of each series by its name."""
    if column is None:
        return {"": list(range(len(file.records)))}
    rows: dict[str, list[int]] = {}
    for row, name in enumerate(file.fields(file.index(column, "series"))):
        rows.setdefault(name, []).append(row)
    if len(rows) > _MOST:
        message = f"the column {column} has more than {_MOST} series"
        file.section.fail("data-format", message, "series")
    return rows


def _dates(file: CsvText, column: str | None) -> list[datetime]:
    """The date of each record; empty without a column for it.

    Raises:
        SpecError: if one is no date.
    """
    if column is None:
        return []
    index = file.index(column, "time")
    dates = []
    for row, text in enumerate(file.fields(index)):
        date = read_date(text)
        if date is None:
            message = f"{column} is {shorten(text)}, which is not a date"
            help = "dates are written as 2024, 2024-03, 2024-03-31 or 2024-03-31 13:00"
            file.fail_at(row, index, "data-format", message, help)
        dates.append(date)
    return dates


def _step(
    file: CsvText, rows: Sequence[int], dates: Sequence[datetime], column: str | None
) -> Step:
    """The time between the dates of a series.

    Raises:
        SpecError: if they are not evenly spaced, at the first that is out of step.
    """
    step = Step.of(dates)
    if not isinstance(step, Step):
        before, after = dates[step - 1], dates[step]
        order = "not after" if after <= before else "out of step with"
        message = f"{after} is {order} {before}, the date before it"
        help = "each series needs a line for every time, in order; values may be blank"
        index = file.index(column or "", "time")
        file.fail_at(rows[step], index, "data-format", message, help)
    return step
