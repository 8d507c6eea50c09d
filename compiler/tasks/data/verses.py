"""Verses of the Bible, English and Spanish (King James; Reina-Valera 1909): public domain, shipped with LayerGraph."""

from __future__ import annotations

from typing import ClassVar

from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.data_set import Bpe, DataSet, Tokens, vocabulary
from compiler.tasks.formulas import Whole


class Verses(DataSet):
    """Options of the verses; whole books are held out.

    Attributes:
        tokens: the tokenizer.
        shared: whether source and target have one vocabulary.
        words: maximum number of words on either side of a held-out pair.
        train_words: the same for training pairs.
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
