"""A file of pairs of texts: on each line the source, a tab, and the target."""

from __future__ import annotations

from typing import ClassVar

from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.data_set import File, Tokens, Words, vocabulary
from compiler.tasks.formulas import Share, Whole
from compiler.tasks.splits import OwnFiles


class Pairs(OwnFiles):
    """Options of pairs.

    Attributes:
        path: the file.
        tokens: the tokenizer.
        shared: whether source and target have one vocabulary.
        words: maximum number of words on either side of a pair.
        held_out: fraction at the end of the file that is held out; 0: train on everything, without evaluations.
    """

    name: ClassVar[str] = "pairs"
    forms: ClassVar[tuple[Form, ...]] = ("pairs",)

    path: File
    tokens: Tokens = Words(words=10000)
    shared: bool = True
    words: Whole = 60
    held_out: Share = 0.1

    def facts(self) -> DataFacts:
        vocab = vocabulary(self.tokens)
        return DataFacts("pairs", vocab=vocab, target_vocab=vocab)
