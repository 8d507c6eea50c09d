"""A file of texts with labels: on each line the label, a tab, and the text."""

from __future__ import annotations

from typing import ClassVar

from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.data_set import File, TextTokens, Words, vocabulary
from compiler.tasks.formulas import Whole
from compiler.tasks.splits import OwnFiles, RandomSplit


class LabelledText(OwnFiles, RandomSplit):
    """Options of labelled text.

    Attributes:
        path: the file.
        tokens: the tokenizer.
        length: maximum number of tokens; longer texts are truncated.
        classes: number of labels, if these are the numbers from 0; default: labels are names.
    """

    name: ClassVar[str] = "labelled_text"
    forms: ClassVar[tuple[Form, ...]] = ("labelled text",)

    path: File
    tokens: TextTokens = Words(words=10000)
    length: Whole = 128
    classes: Whole | None = None

    def facts(self) -> DataFacts:
        vocab = vocabulary(self.tokens)
        return DataFacts(
            "labelled text", vocab=vocab, classes=self.classes, length=self.length
        )
