"""Questions on passages whose answers are parts of them, in a JSON file as SQuAD's (Rajpurkar et al., 2016)."""

from __future__ import annotations

from typing import ClassVar

from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.data_set import DataSet, File, Vocabulary
from compiler.tasks.formulas import Count, Share, Whole


class Squad(DataSet):
    """Options of the file. Questions without an answer are left out; whole articles are held out.

    Attributes:
        path: the file to train on.
        test: a file to evaluate with; default: articles of the first file are held out.
        words: size of the vocabulary: the most frequent words, in small letters.
        length: maximum number of tokens of a question and its passage, which is truncated, or read in windows.
        stride: number of tokens from one window of a long passage to the next, each with the question; the answer is
            that of the window where it is most probable. Default: passages are truncated.
        held_out: fraction of the articles that is held out, of one article of its passages.
        split_seed: random seed of the split.
        fold: number of the fold that is held out, for cross-validation with 1 / held_out folds.
    """

    name: ClassVar[str] = "squad"
    forms: ClassVar[tuple[Form, ...]] = ("questions",)

    path: File
    test: File | None = None
    words: Vocabulary = 20000
    length: Whole = 384
    stride: Whole | None = None
    held_out: Share = 0.1
    split_seed: Count = 0
    fold: Count = 0

    def facts(self) -> DataFacts:
        return DataFacts("questions", vocab=self.words, length=self.length)
