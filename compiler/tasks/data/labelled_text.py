"""A file of texts with labels: on each line the label, a tab, and the text."""

from __future__ import annotations

from typing import ClassVar

from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.data_set import DataSet, File, Tokens, Words, vocabulary
from compiler.tasks.formulas import Share, Whole


class LabelledText(DataSet):
    """Options of labelled text.

    Attributes:
        path: the file.
        tokens: the tokenizer.
        length: maximum number of tokens; longer texts are truncated.
        classes: number of labels, if these are the numbers from 0; default: labels are names.
        held_out: fraction held out of each class.
    """

    name: ClassVar[str] = "labelled_text"
    forms: ClassVar[tuple[Form, ...]] = ("labelled text",)

    path: File
    tokens: Tokens = Words(words=10000)
    length: Whole = 128
    classes: Whole | None = None
    held_out: Share = 0.2

    def facts(self) -> DataFacts:
        vocab = vocabulary(self.tokens)
        return DataFacts(
            "labelled text", vocab=vocab, classes=self.classes, length=self.length
        )
