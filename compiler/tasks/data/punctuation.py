"""Verses of the King James Bible without punctuation and capitals, which are to be restored."""

from __future__ import annotations

from typing import ClassVar, Final

from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.data_set import DataSet, Vocabulary
from compiler.tasks.formulas import Whole

CASES: Final = ("", "Aa", "AA")
"""A word in small letters, with a capital, and in capitals."""
MARKS: Final = ("", ",", ".", ";", ":", "?", "!")
"""What follows a word."""


class Punctuation(DataSet):
    """Options of the verses; whole books are held out. A word's tag is its case, `Aa` or `AA`, and the mark after it.

    Attributes:
        words: size of the vocabulary: the most frequent words.
        length: maximum number of words; longer verses are truncated.
    """

    name: ClassVar[str] = "punctuation"
    forms: ClassVar[tuple[Form, ...]] = ("tagged text",)

    words: Vocabulary = 8000
    length: Whole = 64

    def facts(self) -> DataFacts:
        tags = len(CASES) * len(MARKS)
        return DataFacts(
            "tagged text", vocab=self.words, classes=tags, length=self.length
        )
