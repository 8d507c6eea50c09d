"""What a CSV file of the user's has to be predicted: a class, numbers, or labels of which several may apply."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import torch
from torch import Tensor

from compiler.diagnostics.diagnostic import suggest
from compiler.diagnostics.text import listed, shorten
from compiler.tasks.answer_columns import AnswerColumns
from compiler.tasks.data_facts import DataFacts
from compiler.tasks.list_options import names_of
from runtime.data.csv_text import CsvText, read_csv
from runtime.data.data_section import DataSection
from runtime.data.dataset import Batch
from runtime.data.split import split_by_class
from runtime.data.table_columns import NumberColumn, answers_metadata, fit_numbers

_TRUTH: Final = {
    **dict.fromkeys(("1", "yes", "true"), 1.0),
    **dict.fromkeys(("0", "no", "false"), 0.0),
}


@dataclass(frozen=True)
class Answers:
    """What is to be predicted of each example.

    Attributes:
        classes: names of the classes; empty: there are none.
        label: int[N]; the class of each example.
        targets: names of the numbers.
        target: float64[N, targets]; the numbers in their own units.
        labels: names of the labels.
        flags: float[N, labels]; 1 where a label applies.
    """

    classes: Sequence[str]
    label: Tensor
    targets: Sequence[str]
    target: Tensor
    labels: Sequence[str]
    flags: Tensor

    def split(self, options: AnswerColumns) -> tuple[Tensor, Tensor]:
        """Indices of training and of held-out examples; all are for training if these have a file of their own."""
        if options.validation is not None:
            return torch.arange(len(self.label)), torch.arange(0)
        return split_by_class(self.label, options)

    def at(self, rows: Tensor) -> Answers:
        """The answers of some examples."""
        return replace(
            self,
            label=self.label[rows],
            target=self.target[rows],
            flags=self.flags[rows],
        )

    def scales(self) -> list[NumberColumn]:
        """Mean and standard deviation of each number, of the answers of the training part."""
        rows = self.target.T.tolist()
        return [
            fit_numbers(name, row) for name, row in zip(self.targets, rows, strict=True)
        ]

    def batch(self, scales: Sequence[NumberColumn]) -> Batch:
        """The answers by role: `label`, `target` (standardised) and `labels`, if there are such."""
        found: Batch = {}
        if self.classes:
            found["label"] = self.label
        if self.targets:
            found["target"] = standardised(self.target, scales)
        if self.labels:
            found["labels"] = self.flags
        return found

    def metadata(self, scales: Sequence[NumberColumn]) -> dict[str, Any]:
        """What a run stores of them."""
        return answers_metadata(self.classes, scales, self.labels)


@dataclass(frozen=True)
class DataPart:
    """The lines of a CSV file that are one part of the data.

    Attributes:
        file: the file.
        option: the option that names it, where errors are reported.
        rows: the numbers of its lines that belong to the part, int[N].
        answers: what is to be predicted of these.
    """

    file: CsvText
    option: str
    rows: Tensor
    answers: Answers

    def fields(self, name: str, named_by: str) -> list[str]:
        """A column of the part, which an option names.

        Raises:
            SpecError: if there is no such column, or a field is blank.
        """
        option = named_by if self.option == "path" else self.option
        index = self.file.index(name, option)
        fields = self.file.fields(index)
        for row in self.rows.tolist():
            if not fields[row]:
                message = f"{name} is blank"
                self.file.fail_at(row, index, "data-format", message)
        return [fields[row] for row in self.rows.tolist()]


def read_parts(options: AnswerColumns, section: DataSection) -> dict[str, DataPart]:
    """The parts of the data: `train`, `validation` and, if there is one, `test`.

    Raises:
        SpecError: if a file or a column does not exist, or a line is invalid.
    """
    file = _read(options, section, "path")
    answers = read_answers(file, options, "path")
    train, held_out = answers.split(options)
    parts = {
        name: DataPart(file, "path", rows, answers.at(rows))
        for name, rows in (("train", train), ("validation", held_out))
    }
    for option in ("validation", "test"):
        if getattr(options, option) is not None:
            file = _read(options, section, option)
            found = read_answers(file, options, option, answers.classes)
            parts[option] = DataPart(
                file, option, torch.arange(len(file.records)), found
            )
    return parts


def _read(options: AnswerColumns, section: DataSection, option: str) -> CsvText:
    """The file that an option names."""
    file = read_csv(section, option, getattr(options, option), options.encoding)
    if not file.records:
        section.fail("data-empty", f"{file.path} has no lines but the first", option)
    return file


def with_answers(facts: DataFacts, answers: Answers) -> DataFacts:
    """The facts that a spec declares, with those of the answers."""
    classes = tuple(answers.classes)
    return replace(facts, classes=len(classes) or None, class_names=classes)


def standardised(target: Tensor, scales: Sequence[NumberColumn]) -> Tensor:
    """Numbers float64[N, targets] standardised: float[N, targets]."""
    columns = [one.scaled(target[:, i]) for i, one in enumerate(scales)]
    return torch.stack(columns, 1).float()


def read_answers(
    file: CsvText, options: AnswerColumns, option: str, classes: Sequence[str] = ()
) -> Answers:
    """The columns that are to be predicted.

    Args:
        file: the file.
        options: names the columns.
        option: the option that names the file.
        classes: the classes that there may be; default: those in the file.

    Raises:
        SpecError: if there is no such column, or a field is blank or invalid.
    """
    count = len(file.records)
    targets, labels = names_of(options.target), names_of(options.labels)

    def index(name: str, of: str) -> int:
        # Another file than `path` is wrong where it lacks a column, not the column's name.
        return file.index(name, of if option == "path" else option)

    label = torch.zeros(count, dtype=torch.int64)
    if options.label is not None:
        column = index(options.label, "label")
        classes = classes or _class_names(file, column)
        label = _classes(file, column, classes)
    numbers = [_numbers(file, index(name, "target")) for name in targets]
    flags = [_flags(file, index(name, "labels")) for name in labels]
    return Answers(
        classes,
        label,
        targets,
        torch.stack(numbers, 1) if numbers else torch.zeros(count, 0),
        labels,
        torch.stack(flags, 1) if flags else torch.zeros(count, 0),
    )


def _class_names(file: CsvText, index: int) -> list[str]:
    """The classes in a column, in alphabetical order."""
    name, counts = file.columns[index], Counter(filter(None, file.fields(index)))
    if len(counts) > max(2, len(file.records) // 2) or len(counts) < 2:
        lines = f"{len(file.records)} lines"
        values = f"{len(counts)} different values" if len(counts) > 1 else "one value"
        help = f"write target: {name} for a number" if len(counts) > 2 else ""
        message = f"{name} has {values} in {lines}, which are not classes"
        file.section.fail("data-label", message, "label", help=help)
    return sorted(counts)


def _classes(file: CsvText, index: int, classes: Sequence[str]) -> Tensor:
    number = {name: i for i, name in enumerate(classes)}
    for row, field in enumerate(file.fields(index)):
        if not field:
            _fail_blank(file, row, index)
        if field not in number:
            message = f"the class {shorten(field)} is not in the training file"
            help = suggest(field, classes) or f"it has {shorten(listed(classes), 200)}"
            file.fail_at(row, index, "data-label", message, help)
    return torch.tensor([number[field] for field in file.fields(index)])


def _numbers(file: CsvText, index: int) -> Tensor:
    values = torch.from_numpy(file.numbers(index))
    if values.isnan().any():
        _fail_blank(file, int(values.isnan().nonzero()[0]), index)
    return values


def _flags(file: CsvText, index: int) -> Tensor:
    values = []
    for row, field in enumerate(file.fields(index)):
        if not field:
            _fail_blank(file, row, index)
        if field.lower() not in _TRUTH:
            message = f"{file.columns[index]} is {shorten(field)}, not 1 or 0"
            help = "a label is 1 or 0, yes or no, true or false"
            file.fail_at(row, index, "data-label", message, help)
        values.append(_TRUTH[field.lower()])
    return torch.tensor(values)


def _fail_blank(file: CsvText, row: int, index: int) -> None:
    message = f"{file.columns[index]} is blank, and is to be predicted"
    help = "remove the line, or fill it in"
    file.fail_at(row, index, "data-label", message, help)
