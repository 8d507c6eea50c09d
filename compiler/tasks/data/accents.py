"""Verses of the Bible in Spanish (Reina-Valera 1909) without accents, which are to be restored."""

from __future__ import annotations

from typing import ClassVar, Final

from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.data_set import DataSet, Vocabulary
from compiler.tasks.formulas import Whole

VOWELS: Final = 8
"""Vowels of a word, from its first, that can have the accent."""


class Accents(DataSet):
    """Options of the verses; whole books are held out. A word's tag is the number of its vowel that has the accent.

    Attributes:
        words: size of the vocabulary: the most frequent words, without accents.
        length: maximum number of words; longer verses are truncated.
    """

    name: ClassVar[str] = "accents"
    forms: ClassVar[tuple[Form, ...]] = ("tagged text",)

    words: Vocabulary = 12000
    length: Whole = 64

    def facts(self) -> DataFacts:
        return DataFacts(
            "tagged text", vocab=self.words, classes=1 + VOWELS, length=self.length
        )
