"""Files of labelled texts; without a file for it, a fraction of each class is held out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import torch

from compiler.diagnostics.diagnostic import suggest
from compiler.diagnostics.text import shorten
from compiler.tasks.data.labelled_text import LabelledText
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits
from runtime.data.padded_texts import labelled_texts
from runtime.data.split_items import split_items
from runtime.data.user_files import read_rows

COLUMNS: Final = ("the label", "the text")
Rows = list[tuple[int, str, str]]
"""Line numbers, labels and texts."""


def load(options: LabelledText, section: DataSection) -> DataSplits:
    """The texts of the files; without `classes`, labels are names of classes.

    Raises:
        SpecError: if the file does not exist, or a line is invalid or has an unknown label.
    """
    rows = read_rows(section, "path", options.path, COLUMNS)
    if options.classes is None:
        _check_names(rows, section.path(options.path), section)
        classes = sorted({label for _, label, _ in rows})
    else:
        classes = [str(number) for number in range(options.classes)]
        _check_labels(rows, options.classes, section.path(options.path), section)
    texts = _numbered(rows, classes)

    def read(option: str) -> list[tuple[str, int]]:
        return _read_part(section, option, getattr(options, option), classes)

    labels = torch.tensor([label for _, label in texts])
    train, held_out, test = split_items(texts, options, section, read, "texts", labels)
    tokens, length, facts = options.tokens, options.length, options.facts()
    return labelled_texts(
        train, held_out, classes, tokens, length, facts, section, test
    )


def _numbered(rows: Rows, classes: Sequence[str]) -> list[tuple[str, int]]:
    """The texts, and the numbers of their labels."""
    numbers = {name: number for number, name in enumerate(classes)}
    return [(text, numbers[label]) for _, label, text in rows]


def _read_part(
    section: DataSection, option: str, written: str, classes: Sequence[str]
) -> list[tuple[str, int]]:
    """The texts of a file with the labels of the training file."""
    rows = read_rows(section, option, written, COLUMNS)
    known = set(classes)
    for line, label, _ in rows:
        if label not in known:
            message = f"the label {shorten(label)} is not in the training file"
            help = suggest(label, classes) or ""
            path, columns = section.path(written), (1, len(label) + 1)
            section.fail_in(
                "data-label", path, line, message, columns=columns, help=help
            )
    return _numbered(rows, classes)


def _check_names(rows: Rows, path: Path, section: DataSection) -> None:
    """Check that labels occur several times, which texts in their column and the names of columns do not."""
    counts = Counter(label for _, label, _ in rows)
    line, first, _ = rows[0]
    if len(counts) > max(2, len(rows) // 2):
        message = f"there are {len(counts)} labels in {len(rows)} lines"
        help = f"a line is {COLUMNS[0]}, a tab and {COLUMNS[1]}"
        section.fail_in("data-label", path, line, message, help=help)
    if counts[first] == 1 and min((counts - Counter([first])).values(), default=1) > 1:
        message = f"the label {shorten(first)} is in this line only"
        help = "remove the line if it has the names of the columns"
        columns = (1, len(first) + 1)
        section.fail_in("data-label", path, line, message, columns=columns, help=help)


def _check_labels(rows: Rows, classes: int, path: Path, section: DataSection) -> None:
    """Check that labels are numbers below the number of classes."""
    largest = classes - 1
    for line, label, _ in rows:
        message = ""
        if not (label.isascii() and label.isdigit()):
            message = f"the label {shorten(label)} is not a number"
        elif str(int(label[:20])) != label or int(label[:20]) > largest:
            message = f"the label {shorten(label)} is not in 0 to {largest}"
        if message:
            columns = (1, len(label) + 1)
            section.fail_in("data-label", path, line, message, columns=columns)
