"""Questions on passages whose answers are parts of them, in a JSON file as SQuAD's (Rajpurkar et al., 2016)."""

from __future__ import annotations

from typing import ClassVar

from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.data_set import File, Vocabulary
from compiler.tasks.formulas import Share, Whole
from compiler.tasks.splits import OwnFiles, RandomSplit


class Squad(OwnFiles, RandomSplit):
    """Options of the file. Questions without an answer are left out; whole articles are held out.

    Attributes:
        path: the file.
        words: size of the vocabulary: the most frequent words, in small letters.
        length: maximum number of tokens of a question and its passage, which is truncated, or read in windows.
        stride: number of tokens from one window of a long passage to the next, each with the question; the answer is
            that of the window where it is most probable. Default: passages are truncated.
        held_out: fraction of the articles that is held out, of one article of its passages; 0: train on everything,
            without evaluations.
    """

    name: ClassVar[str] = "squad"
    forms: ClassVar[tuple[Form, ...]] = ("questions",)

    path: File
    words: Vocabulary = 20000
    length: Whole = 384
    stride: Whole | None = None
    held_out: Share = 0.1

    def facts(self) -> DataFacts:
        return DataFacts("questions", vocab=self.words, length=self.length)
