"""Verses of the King James Bible, labelled as of the Old or the New Testament."""

from __future__ import annotations

from typing import ClassVar

from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.data_set import DataSet, TextTokens, Words, vocabulary
from compiler.tasks.formulas import Whole


class Testaments(DataSet):
    """Options of the verses.

    Attributes:
        tokens: the tokenizer.
        length: maximum number of tokens; longer verses are truncated.
    """

    name: ClassVar[str] = "testaments"
    forms: ClassVar[tuple[Form, ...]] = ("labelled text",)

    tokens: TextTokens = Words(words=5000)
    length: Whole = 64

    def facts(self) -> DataFacts:
        vocab = vocabulary(self.tokens)
        return DataFacts("labelled text", vocab=vocab, classes=2, length=self.length)
