"""Verses of the King James Bible, labelled as of the Old or the New Testament."""

from __future__ import annotations

from compiler.tasks.choices import Whole
from compiler.tasks.data.data_set import Data, Tokens, Words, vocabulary
from compiler.tasks.data_facts import DataFacts


class Testaments(Data):
    """Options of the verses.

    Attributes:
        tokens: how verses are cut.
        length: longer verses are cut off after so many tokens.
    """

    tokens: Tokens = Words(words=5000)
    length: Whole = 64

    def facts(self) -> DataFacts:
        return DataFacts("labelled text", vocab=vocabulary(self.tokens), classes=2)
