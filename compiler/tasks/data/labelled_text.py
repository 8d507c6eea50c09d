"""A file of texts with labels: on each line the label, a tab, and the text."""

from __future__ import annotations

from typing import ClassVar

from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.data_set import DataSet, File, Tokens, Words, vocabulary
from compiler.tasks.formulas import Count, Share, Whole


class LabelledText(DataSet):
    """Options of labelled text.

    Attributes:
        path: the file.
        tokens: the tokenizer.
        length: maximum number of tokens; longer texts are truncated.
        classes: number of labels, if these are the numbers from 0; default: labels are names.
        held_out: fraction held out of each class.
        split_seed: random seed of the split.
        fold: number of the fold that is held out, for cross-validation with 1 / held_out folds.
    """

    name: ClassVar[str] = "labelled_text"
    forms: ClassVar[tuple[Form, ...]] = ("labelled text",)

    path: File
    tokens: Tokens = Words(words=10000)
    length: Whole = 128
    classes: Whole | None = None
    held_out: Share = 0.2
    split_seed: Count = 0
    fold: Count = 0

    def facts(self) -> DataFacts:
        vocab = vocabulary(self.tokens)
        return DataFacts(
            "labelled text", vocab=vocab, classes=self.classes, length=self.length
        )
