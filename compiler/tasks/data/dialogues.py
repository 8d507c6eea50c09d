"""Dialogues or instructions with replies, on each line `{"messages": [{"role": "user", "content": "..."}, ...]}`."""

from __future__ import annotations

from typing import ClassVar

from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.data_set import Bpe, File, Tokens, vocabulary
from compiler.tasks.formulas import Share, Whole
from compiler.tasks.splits import OwnFiles, RandomSplit


class Dialogues(OwnFiles, RandomSplit):
    """Options of dialogues. Roles are system, user and assistant; only the assistant's replies are learned.

    A dialogue is tokens 1, then for each message a token of its role (4, 5 or 6), its text, and token 2.

    Attributes:
        path: the file.
        tokens: the tokenizer.
        length: maximum number of tokens of a dialogue; longer ones are truncated.
        held_out: fraction of the dialogues that is held out; 0: train on everything, without evaluations.
    """

    name: ClassVar[str] = "dialogues"
    forms: ClassVar[tuple[Form, ...]] = ("dialogues",)

    path: File
    tokens: Tokens = Bpe(bpe=4000)
    length: Whole = 256
    held_out: Share = 0.1

    def facts(self) -> DataFacts:
        return DataFacts("dialogues", vocab=vocabulary(self.tokens), length=self.length)
