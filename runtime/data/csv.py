"""Columns of CSV files as time series."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from compiler.diagnostics.diagnostic import suggest
from compiler.diagnostics.text import listed, shorten
from compiler.tasks.data.csv import Csv
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits
from runtime.data.series import series
from runtime.data.user_files import read_text

MISSING: Final = frozenset({"", "na", "nan", "n/a", "null", "none"})
"""Fields, in lower case, that are missing values."""
Record = tuple[int, list[str]]
"""Line number, from 1, and fields."""


def load(options: Csv, section: DataSection) -> DataSplits:
    """The columns of the files; without a file for it, the end is held out. `series` fills missing values.

    Raises:
        SpecError: if a file does not exist, lacks a column, or has an invalid line.
    """
    parts = {}
    for option in ("path", "validation", "test"):
        written = getattr(options, option)
        if written is not None:
            text = read_text(section, option, written)
            path = section.path(written)
            parts[option] = read_columns(section, path, text, options.columns)
    values = parts.pop("path")
    return series(values, options.columns, options, section, "path", parts)


def read_columns(
    section: DataSection, path: Path, text: str, columns: Sequence[str]
) -> NDArray[np.float64]:
    """Columns of a CSV text by name, float[N, C]; missing values are NaN.

    Raises:
        SpecError: if a column does not exist or is not numeric, or the text is not CSV.
    """
    records = _records(section, path, text)
    first_line, header = records[0]
    names = [name.strip() for name in header]
    if all(_is_number(name) for name in names):
        message = "the first line must have the names of the columns, but has numbers"
        section.fail_in("data-format", path, first_line, message)
    indices = [_column_index(section, names, name) for name in columns]
    for line, fields in records[1:]:
        if len(fields) != len(names):
            message = f"this line has {len(fields)} values, but the first has {len(names)} names"
            section.fail_in("data-format", path, line, message)
    values = [_column(section, path, records[1:], i, names[i]) for i in indices]
    return np.stack(values, 1)


def _records(section: DataSection, path: Path, text: str) -> list[Record]:
    """The records that are not blank, each with the number of its first line."""
    reader = csv.reader(text.split("\n"), strict=True)
    records, start = [], 1
    try:
        for fields in reader:
            records += [(start, fields)] if fields else []
            start = reader.line_num + 1
    except csv.Error as error:
        section.fail_in("data-format", path, start, f"invalid CSV: {error}")
    return records


def _column_index(section: DataSection, names: list[str], name: str) -> int:
    if name not in names:
        help = suggest(name, names) or f"the columns are {shorten(listed(names), 200)}"
        if len(names) == 1 and (";" in names[0] or "\t" in names[0]):
            help = "values must be separated by commas"
        message = f"the file has no column {name}"
        section.fail("data-format", message, "columns", help=help)
    if names.count(name) > 1:
        message = f"the file has {names.count(name)} columns named {name}"
        section.fail("data-format", message, "columns")
    return names.index(name)


def _column(
    section: DataSection, path: Path, records: list[Record], index: int, name: str
) -> NDArray[np.float64]:
    values = np.array(
        [_value(section, path, record, index, name) for record in records]
    )
    if np.isnan(values).all():
        message = f"the column {name} of {path} has no values"
        section.fail("data-empty", message, "path")
    return values


def _value(
    section: DataSection, path: Path, record: Record, index: int, name: str
) -> float:
    """A field as a number; NaN if it is missing."""
    line, fields = record
    field = fields[index].strip()
    if field.lower() in MISSING:
        return math.nan
    if not _is_number(field):
        start = 1 + sum(len(one) + 1 for one in fields[:index])
        columns = (start, start + len(fields[index]))
        message = f"{name} is {shorten(field)}, which is not a finite number"
        section.fail_in("data-format", path, line, message, columns=columns)
    return float(field)


def _is_number(text: str) -> bool:
    try:
        return "_" not in text and math.isfinite(float(text))
    except ValueError:
        return False
