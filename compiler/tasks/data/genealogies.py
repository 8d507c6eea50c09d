"""Questions on kinships and offices in the King James Bible: who begat whom, whose son one was, who was king."""

from __future__ import annotations

from typing import ClassVar

from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.data_set import DataSet, Vocabulary
from compiler.tasks.formulas import Whole


class Genealogies(DataSet):
    """Options of the questions, which are made from the verses by patterns; whole books are held out.

    Attributes:
        words: size of the vocabulary: the most frequent words, in small letters.
        length: maximum number of tokens of a question and its verse, which is truncated.
    """

    name: ClassVar[str] = "genealogies"
    forms: ClassVar[tuple[Form, ...]] = ("questions",)

    words: Vocabulary = 2000
    length: Whole = 96

    def facts(self) -> DataFacts:
        return DataFacts("questions", vocab=self.words, length=self.length)
