"""A CSV file with a column of texts, and what is to be predicted of each: a class, numbers, or labels."""

from __future__ import annotations

from typing import ClassVar

from compiler.tasks.answer_columns import AnswerColumns
from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.data_set import TextTokens, Words, vocabulary
from compiler.tasks.formulas import Whole
from compiler.tasks.list_options import names_of


class TextTable(AnswerColumns):
    """Options of a table of texts.

    Attributes:
        text: column of the texts.
        tokens: the tokenizer.
        length: maximum number of tokens; longer texts are truncated.
    """

    name: ClassVar[str] = "text_table"
    forms: ClassVar[tuple[Form, ...]] = ("labelled text",)

    text: str
    tokens: TextTokens = Words(words=10000)
    length: Whole = 128

    def facts(self) -> DataFacts:
        return DataFacts(
            "labelled text",
            self.answers,
            targets=names_of(self.target),
            labels=names_of(self.labels),
            vocab=vocabulary(self.tokens),
            length=self.length,
        )
