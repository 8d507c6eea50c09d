"""The King James Bible, 31,084 verses of English: public domain, shipped with LayerGraph."""

from __future__ import annotations

from typing import ClassVar, Final

from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.data_set import DataSet, TextTokens, vocabulary
from compiler.tasks.formulas import Whole

CHARACTERS: Final = 70
"""Different characters of the books to learn from, and the one for others."""


class Kjv(DataSet):
    """Options of the text.

    Attributes:
        tokens: the tokenizer.
        length: number of tokens of an example.
    """

    name: ClassVar[str] = "kjv"
    forms: ClassVar[tuple[Form, ...]] = ("text",)

    tokens: TextTokens = "characters"
    length: Whole = 128

    def facts(self) -> DataFacts:
        known = CHARACTERS if self.tokens == "characters" else vocabulary(self.tokens)
        return DataFacts("text", vocab=known, length=self.length)
