"""A file of texts with labels, a share of each class held out."""

from __future__ import annotations

import torch

from compiler.diagnostics.text import shorten
from compiler.tasks.data.labelled_text import LabelledText
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits
from runtime.data.padded_texts import labelled_texts
from runtime.data.split import split_by_class
from runtime.data.user_files import read_rows

FORM = ("the label", "the text")
Rows = list[tuple[int, str, str]]


def load(options: LabelledText, section: DataSection) -> DataSplits:
    """The texts of the file.

    Raises:
        SpecError: where the file is not there, or a line of it has no label, or another than there are.
    """
    rows = read_rows(section, "path", options.path, FORM)
    if options.classes is None:
        classes = sorted({label for _, label, _ in rows})
    else:
        classes = [str(number) for number in range(options.classes)]
        _hold_labels(rows, options, section)
    numbers = {name: number for number, name in enumerate(classes)}
    texts = [(text, numbers[str(label)]) for _, label, text in rows]
    labels = torch.tensor([label for _, label in texts])
    train, held = (
        [texts[i] for i in part.tolist()]
        for part in split_by_class(labels, options.held_out)
    )
    if not train or not held:
        message = f"{section.path(options.path)} has too few texts to hold some out"
        section.fail("data-empty", message, "path")
    return labelled_texts(
        train, held, classes, options.tokens, options.length, options.facts()
    )


def _hold_labels(rows: Rows, options: LabelledText, section: DataSection) -> None:
    """Hold labels against the number of classes."""
    most = (options.classes or 0) - 1
    for number, label, _ in rows:
        what = ""
        if not (label.isascii() and label.isdigit()):
            what = f"the label {shorten(label)} is not a number"
        elif str(int(label[:20])) != label or int(label[:20]) > most:
            what = f"the label {shorten(label)} is not one of 0 to {most}"
        if what:
            path, columns = section.path(options.path), (1, len(label) + 1)
            section.fail_in("data-label", path, number, what, columns=columns)
