"""Columns of a CSV file as a series."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from compiler.diagnostics.diagnostic import suggest
from compiler.diagnostics.text import listed, shorten
from compiler.tasks.data.csv import Csv
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits
from runtime.data.series import filled, series
from runtime.data.user_files import read_text

MISSING = frozenset({"", "na", "nan", "n/a", "null", "none"})
Line = tuple[int, list[str]]


def load(options: Csv, section: DataSection) -> DataSplits:
    """The columns, the end of the file held out; missing values lie on straight lines between their neighbours.

    Raises:
        SpecError: where the file is not there, lacks a column, or has a line that does not fit.
    """
    path = section.path(options.path)
    text = read_text(section, "path", options.path)
    values = read_columns(section, path, text, options.columns)
    return series(values, options.columns, options, section, "path")


def read_columns(
    section: DataSection, path: Path, text: str, columns: Sequence[str]
) -> NDArray[np.float64]:
    """Columns of a CSV text by name: float[N, C], without gaps.

    Raises:
        SpecError: where the text has no such columns of numbers.
    """
    lines = _lines(section, path, text)
    first, header = lines[0]
    names = [name.strip() for name in header]
    if all(_is_number(name) for name in names):
        message = "the first line must name the columns, and holds numbers"
        section.fail_in("data-format", path, first, message)
    chosen = [_column(section, names, name) for name in columns]
    for number, fields in lines[1:]:
        if len(fields) != len(names):
            message = f"this line has {len(fields)} values, and the first {len(names)}"
            section.fail_in("data-format", path, number, message)
    found = [_series(section, path, lines[1:], i, names[i]) for i in chosen]
    return np.stack(found, 1)


def _lines(section: DataSection, path: Path, text: str) -> list[Line]:
    """The records that are not blank, each with the number of its first line."""
    reader = csv.reader(text.split("\n"), strict=True)
    found, start = [], 1
    try:
        for fields in reader:
            found += [(start, fields)] if fields else []
            start = reader.line_num + 1
    except csv.Error as error:
        section.fail_in("data-format", path, start, f"this is no CSV: {error}")
    return found


def _column(section: DataSection, names: list[str], name: str) -> int:
    if name not in names:
        help = suggest(name, names) or f"it has {shorten(listed(names), 200)}"
        if len(names) == 1 and (";" in names[0] or "\t" in names[0]):
            help = "values are separated by commas"
        message = f"the file has no column {name}"
        section.fail("data-format", message, "columns", help=help)
    if names.count(name) > 1:
        message = f"the file has {names.count(name)} columns {name}"
        section.fail("data-format", message, "columns")
    return names.index(name)


def _series(
    section: DataSection, path: Path, lines: list[Line], index: int, name: str
) -> NDArray[np.float64]:
    values = np.array([_value(section, path, line, index, name) for line in lines])
    if np.isnan(values).all():
        section.fail("data-empty", f"the column {name} of {path} has no values", "path")
    return filled(values)


def _value(
    section: DataSection, path: Path, line: Line, index: int, name: str
) -> float:
    number, fields = line
    field = fields[index].strip()
    if field.lower() in MISSING:
        return math.nan
    if not _is_number(field):
        start = 1 + sum(len(one) + 1 for one in fields[:index])
        columns = (start, start + len(fields[index]))
        message = f"{name} is {shorten(field)}, which is not a finite number"
        section.fail_in("data-format", path, number, message, columns=columns)
    return float(field)


def _is_number(text: str) -> bool:
    try:
        return "_" not in text and math.isfinite(float(text))
    except ValueError:
        return False
