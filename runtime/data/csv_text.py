"""Read a user's CSV file: its separator is found, and errors are reported with line and column."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

import numpy as np
from numpy.typing import NDArray

from compiler.diagnostics.diagnostic import suggest
from compiler.diagnostics.text import listed, shorten
from runtime.data.data_section import DataSection
from runtime.data.user_files import read_text

MISSING: Final = frozenset({"", "na", "nan", "n/a", "null", "none", "?"})
"""Fields, in lower case, that are missing numbers."""
Record = tuple[int, list[str]]
"""Line number, from 1, and fields."""

_SEPARATORS: Final = (",", ";", "\t", "|")
_DECIMAL_COMMA: Final = re.compile(r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?")


@dataclass(frozen=True)
class CsvText:
    """A CSV file.

    Attributes:
        section: where errors are reported.
        path: the file.
        columns: the names in its first line.
        records: the lines after it that are not blank.
        separator: what separates the columns; if it is no comma, numbers may have decimal commas.
    """

    section: DataSection
    path: Path
    columns: Sequence[str]
    records: Sequence[Record]
    separator: str

    def index(self, name: str, option: str) -> int:
        """The number of a column, from 0.

        Args:
            name: the name of the column.
            option: the option that names it, where errors are reported.

        Raises:
            SpecError: if there is no such column, or several.
        """
        if name not in self.columns:
            columns = shorten(listed(self.columns), 200)
            help = suggest(name, self.columns) or f"the columns are {columns}"
            message = f"the file has no column {name}"
            self.section.fail("data-format", message, option, help=help)
        count = self.columns.count(name)
        if count > 1:
            message = f"the file has {count} columns named {name}"
            self.section.fail("data-format", message, option)
        return self.columns.index(name)

    def fields(self, index: int) -> list[str]:
        """The fields of a column, without blanks around them."""
        return [fields[index].strip() for _, fields in self.records]

    def number(self, field: str) -> float | None:
        """A field as a number, NaN if it is missing; None if it is something else."""
        if field.lower() in MISSING:
            return math.nan
        if self.separator != "," and _DECIMAL_COMMA.fullmatch(field):
            field = field.replace(",", ".")
        try:
            value = math.nan if "_" in field else float(field)
        except ValueError:
            return None
        return value if math.isfinite(value) else None

    def numbers(self, index: int) -> NDArray[np.float64]:
        """A column as numbers float[N]; missing values are NaN.

        Raises:
            SpecError: if a field is no finite number, at the field.
        """
        values = np.empty(len(self.records))
        for row, field in enumerate(self.fields(index)):
            value = self.number(field)
            if value is None:
                name = self.columns[index]
                message = f"{name} is {shorten(field)}, which is not a finite number"
                self.fail_at(row, index, "data-format", message)
            values[row] = value
        return values

    def fail_at(
        self, row: int, index: int, code: str, message: str, help: str = ""
    ) -> NoReturn:
        """Report an error at a field.

        Args:
            row: the number of its record, from 0; -1: the first line.
            index: the number of its column, from 0.
            code, message, help: of the diagnostic.

        Raises:
            SpecError: always.
        """
        line, fields = self.records[row] if row >= 0 else (1, list(self.columns))
        start = 1 + sum(len(one) + 1 for one in fields[:index])
        columns = (start, start + len(fields[index]))
        self.section.fail_in(code, self.path, line, message, columns=columns, help=help)


def read_csv(
    section: DataSection, option: str, written: str, encoding: str = "utf-8"
) -> CsvText:
    """Read the CSV file that an option names.

    Raises:
        SpecError: as `read_text`, and if the file is no CSV, has no names, or lines of different lengths.
    """
    path = section.path(written)
    lines = read_text(section, option, written, encoding).split("\n")
    first = next(line for line in lines if line.strip())
    separator = _separator(first)
    if first.lstrip().startswith(("{", "[{")):
        message, help = "the file has JSON, not CSV", "write the names of the columns"
        help = f"{help} in the first line, and an example in each line after it"
        section.fail_in("data-format", path, 1, message, help=help)
    records = _without_empty_end(_records(section, path, lines, separator))
    start, header = records[0]
    names = [name.strip() for name in header]
    found = CsvText(section, path, names, records[1:], separator)
    values = [found.number(name) for name in names]
    if all(value is not None and not math.isnan(value) for value in values):
        message = "the first line must have the names of the columns, but has numbers"
        section.fail_in("data-format", path, start, message)
    for line, fields in records[1:]:
        if len(fields) != len(names):
            message = f"this line has {len(fields)} values, but the first has {len(names)} names"
            section.fail_in("data-format", path, line, message)
    return found


def _without_empty_end(records: list[Record]) -> list[Record]:
    """The records without columns at the end that have neither a name nor a value, as spreadsheets write them."""
    used = max(_used(fields) for _, fields in records)
    width = len(records[0][1])
    return [
        (line, fields[:used] if len(fields) == width else fields)
        for line, fields in records
    ]


def _used(fields: Sequence[str]) -> int:
    """The number of fields up to the last that is not blank."""
    return max((i for i, one in enumerate(fields, 1) if one.strip()), default=0)


def _separator(first: str) -> str:
    """What separates the most columns in the first line."""

    def columns(separator: str) -> int:
        try:
            return len(next(csv.reader([first], delimiter=separator)))
        except csv.Error:  # reported by `_records`
            return 0

    return max(_SEPARATORS, key=columns)


def _records(
    section: DataSection, path: Path, lines: Sequence[str], separator: str
) -> list[Record]:
    """The records that are not blank, each with the number of its first line."""
    reader = csv.reader(lines, strict=True, delimiter=separator)
    records, start = [], 1
    try:
        for fields in reader:
            records += [(start, fields)] if fields else []
            start = reader.line_num + 1
    except csv.Error as error:
        section.fail_in("data-format", path, start, f"invalid CSV: {error}")
    return records
