"""Verses of the Bible, English and Spanish (King James; Reina-Valera 1909): public domain, shipped with LayerGraph."""

from __future__ import annotations

from typing import ClassVar

from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.data_set import Bpe, DataSet, Tokens, vocabulary
from compiler.tasks.formulas import Whole


class Verses(DataSet):
    """Options of the verses; whole books are held out.

    Attributes:
        tokens: how verses are cut.
        shared: whether source and target have one vocabulary.
        words: the most words that either side of a held-out pair may have.
        train_words: the same of a pair for training.
    """

    name: ClassVar[str] = "verses"
    forms: ClassVar[tuple[Form, ...]] = ("pairs",)

    tokens: Tokens = Bpe(bpe=4000)
    shared: bool = True
    words: Whole = 15
    train_words: Whole = 15

    def facts(self) -> DataFacts:
        vocab = vocabulary(self.tokens)
        return DataFacts("pairs", vocab=vocab, target_vocab=vocab)
