"""Verses of the Bible, English and Spanish (King James; Reina-Valera 1909): public domain, shipped with LayerGraph."""

from __future__ import annotations

from compiler.tasks.choices import Whole
from compiler.tasks.data.data_set import Bpe, Data, Tokens, vocabulary
from compiler.tasks.data_facts import DataFacts


class Verses(Data):
    """Options of the verses; whole books are held out.

    Attributes:
        tokens: how verses are cut.
        shared: whether source and target have one vocabulary.
        words: the most words that either side of a held-out pair may have.
        train_words: the same of a pair for training.
    """

    tokens: Tokens = Bpe(bpe=4000)
    shared: bool = True
    words: Whole = 15
    train_words: Whole = 15

    def facts(self) -> DataFacts:
        vocab = vocabulary(self.tokens)
        return DataFacts("pairs", vocab=vocab, target_vocab=vocab)
