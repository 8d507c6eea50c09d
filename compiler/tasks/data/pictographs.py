"""The names of 703 pictographs of Unicode, such as `hatching chick`, in ten groups: a few words each."""

from __future__ import annotations

from typing import ClassVar, Final

from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.data_set import TextTokens, Words, vocabulary
from compiler.tasks.formulas import Share, Whole
from compiler.tasks.splits import RandomSplit

GROUPS: Final = (
    "animals",
    "body and people",
    "buildings and places",
    "clothing",
    "faces",
    "food and drink",
    "office and communication",
    "plants, sky and weather",
    "sport and entertainment",
    "transport",
)
"""The classes."""


class Pictographs(RandomSplit):
    """Options of the names.

    Attributes:
        tokens: the tokenizer.
        length: maximum number of tokens; longer names are truncated.
    """

    name: ClassVar[str] = "pictographs"
    forms: ClassVar[tuple[Form, ...]] = ("labelled text",)

    tokens: TextTokens = Words(words=1000)
    length: Whole = 16
    held_out: Share = 0.5

    def facts(self) -> DataFacts:
        vocab, classes = vocabulary(self.tokens), len(GROUPS)
        return DataFacts(
            "labelled text", vocab=vocab, classes=classes, length=self.length
        )
