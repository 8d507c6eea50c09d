"""A CSV file with an example in each line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from compiler.diagnostics.text import shorten
from compiler.tasks.data.table import Table
from compiler.tasks.list_options import names_of
from runtime.data.answers import read_parts, with_answers
from runtime.data.csv_text import CsvText
from runtime.data.data_section import DataSection
from runtime.data.dataset import Batch, DataSplits, TensorExamples
from runtime.data.table_columns import (
    CategoryColumn,
    NumberColumn,
    TableColumns,
    fit_categories,
    fit_numbers,
)

_FEW: Final = 20
"""Number of values that a column of categories may have however few lines there are."""


def load(options: Table, section: DataSection) -> DataSplits:
    """The lines of the file, a fraction of them held out.

    Raises:
        SpecError: if the file does not exist, lacks a column, or a line is invalid.
    """
    parts = read_parts(options, section)
    train = parts["train"]
    numbers, categories = read_inputs(train.file, options)
    columns = fit(numbers, categories, train.rows, options.rare)
    scales = train.answers.scales()
    examples = {
        name: TensorExamples(
            {
                role: one[part.rows]
                for role, one in inputs_of(part.file, columns, part.option).items()
            }
            | part.answers.batch(scales)
        )
        for name, part in parts.items()
    }
    facts = replace(
        with_answers(options.facts(), train.answers),
        numbers=len(numbers),
        categories=len(categories),
        vocab=columns.indices or None,
    )
    metadata = {**columns.model_dump(), **train.answers.metadata(scales)}
    test = examples.get("test")
    return DataSplits(examples["train"], examples["validation"], facts, metadata, test)


def inputs_of(file: CsvText, columns: TableColumns, option: str) -> Batch:
    """The inputs of the lines of a file by role, for columns that are known.

    Args:
        file: the file, which has these columns.
        columns: as the training part has them.
        option: the option that names the file, where errors are reported.

    Raises:
        SpecError: if a column is missing, or a field is no number.
    """
    numbers = {
        one.name: file.numbers(file.index(one.name, option)).tolist()
        for one in columns.numbers
    }
    categories = {
        one.name: file.fields(file.index(one.name, option))
        for one in columns.categories
    }
    return columns.encode(numbers, categories)


def fit(
    numbers: Mapping[str, NDArray[np.float64]],
    categories: Mapping[str, Sequence[str]],
    train: Tensor,
    rare: int,
) -> TableColumns:
    """The columns as the training part has them.

    Args:
        numbers, categories: the values of each column [N].
        train: indices of the training part.
        rare: number of examples that a category needs.
    """
    rows = train.tolist()
    fitted: list[NumberColumn] = [
        fit_numbers(name, values[rows].tolist()) for name, values in numbers.items()
    ]
    known: list[CategoryColumn] = [
        fit_categories(name, [values[row] for row in rows], rare)
        for name, values in categories.items()
    ]
    return TableColumns(numbers=fitted, categories=known)


def read_inputs(
    file: CsvText, options: Table
) -> tuple[dict[str, NDArray[np.float64]], dict[str, list[str]]]:
    """The columns of numbers and those of categories, by name.

    Raises:
        SpecError: if a column is neither.
    """
    chosen = names_of(options.categories)
    for option, names in (("categories", chosen), ("ignore", names_of(options.ignore))):
        for name in names:
            file.index(name, option)
    unused = {*options.answer_columns, *names_of(options.ignore)}
    numbers: dict[str, NDArray[np.float64]] = {}
    categories: dict[str, list[str]] = {}
    for number, name in enumerate(file.columns):
        if name in unused:
            continue
        if file.columns.count(name) > 1:
            message = f"the file has several columns named {shorten(name) or 'nothing'}"
            file.fail_at(-1, number, "data-format", message)
        if name not in chosen and _has_numbers(file, number):
            numbers[name] = file.numbers(number)
        else:
            categories[name] = file.fields(number)
            if name not in chosen:
                _check_categories(file, number)
    if not numbers and not categories:
        message = f"{file.path} has no columns besides those to predict"
        file.section.fail("data-empty", message, "path")
    return numbers, categories


def _has_numbers(file: CsvText, index: int) -> bool:
    """Whether a column is one of numbers.

    Raises:
        SpecError: if it is blank, or most fields are numbers and some are not.
    """
    name, fields = file.columns[index], file.fields(index)
    filled = [(row, field) for row, field in enumerate(fields) if field]
    if not filled:
        help = f"write ignore: [{name}]"
        file.fail_at(-1, index, "data-empty", f"{name} has no values", help)
    others = [(row, field) for row, field in filled if file.number(field) is None]
    if others and len(others) * 2 < len(filled):
        row, field = others[0]
        message = f"{name} is {shorten(field)}, and most of its values are numbers"
        help = f"write categories: [{name}] if it has categories, or ignore: [{name}]"
        file.fail_at(row, index, "data-format", message, help)
    return not others


def _check_categories(file: CsvText, index: int) -> None:
    """Report a column of names, each for one line: a network learns nothing from them."""
    name, fields = file.columns[index], file.fields(index)
    different = len(set(fields))
    if different > max(_FEW, len(fields) // 2):
        message = f"{name} has {different} different values in {len(fields)} lines"
        help = f"write ignore: [{name}], or categories: [{name}] to use it"
        file.fail_at(-1, index, "data-format", message, help)
