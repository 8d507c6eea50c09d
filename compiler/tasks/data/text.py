"""A text file, UTF-8."""

from __future__ import annotations

from typing import ClassVar

from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.data_set import File, TextTokens, vocabulary
from compiler.tasks.formulas import Share, Whole
from compiler.tasks.splits import OwnFiles


class Text(OwnFiles):
    """Options of a text.

    Attributes:
        path: the file.
        tokens: the tokenizer.
        length: number of tokens of an example.
        held_out: fraction at the end of the text that is held out; 0: train on everything, without evaluations.
    """

    name: ClassVar[str] = "text"
    forms: ClassVar[tuple[Form, ...]] = ("text",)

    path: File
    tokens: TextTokens = "characters"
    length: Whole = 128
    held_out: Share = 0.1

    def facts(self) -> DataFacts:
        return DataFacts("text", vocab=vocabulary(self.tokens), length=self.length)
