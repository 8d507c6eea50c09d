"""The King James Bible, 31,084 verses of English: public domain, shipped with LayerGraph."""

from __future__ import annotations

from typing import Final

from compiler.tasks.choices import Whole
from compiler.tasks.data.data_set import Data, Tokens, vocabulary
from compiler.tasks.data_facts import DataFacts

CHARACTERS: Final = 70
"""Different characters of the books to learn from, and the one for others."""


class Kjv(Data):
    """Options of the text.

    Attributes:
        tokens: how it is cut.
        length: tokens of one example.
    """

    tokens: Tokens = "characters"
    length: Whole = 128

    def facts(self) -> DataFacts:
        known = CHARACTERS if self.tokens == "characters" else vocabulary(self.tokens)
        return DataFacts("text", vocab=known)
