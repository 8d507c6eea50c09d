"""Columns of CSV files as time series."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from compiler.tasks.data.csv import Csv
from runtime.data.csv_text import CsvText, read_csv
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits
from runtime.data.series import series


def load(options: Csv, section: DataSection) -> DataSplits:
    """The columns of the files; without a file for it, the end is held out. `series` fills missing values.

    Raises:
        SpecError: if a file does not exist, lacks a column, or has an invalid line.
    """
    parts = {
        option: read_columns(read_csv(section, option, written), options.columns)
        for option in ("path", "validation", "test")
        if (written := getattr(options, option)) is not None
    }
    values = parts.pop("path")
    return series(values, options.columns, options, section, "path", parts)


def read_columns(file: CsvText, columns: Sequence[str]) -> NDArray[np.float64]:
    """Columns of a CSV file by name, float[N, C]; missing values are NaN.

    Raises:
        SpecError: if a column does not exist, is not numeric, or is empty.
    """
    indices = [file.index(name, "columns") for name in columns]
    values = [file.numbers(index) for index in indices]
    for name, column in zip(columns, values, strict=True):
        if np.isnan(column).all():
            message = f"the column {name} of {file.path} has no values"
            file.section.fail("data-empty", message, "path")
    return np.stack(values, 1)
