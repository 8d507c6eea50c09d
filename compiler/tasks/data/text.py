"""A text file, UTF-8."""

from __future__ import annotations

from compiler.tasks.choices import Share, Whole
from compiler.tasks.data.data_set import Data, File, Tokens, vocabulary
from compiler.tasks.data_facts import DataFacts


class Text(Data):
    """Options of a text.

    Attributes:
        path: the file.
        tokens: how it is cut.
        length: tokens of one example.
        held_out: the share at the end of the text that is held out.
    """

    path: File
    tokens: Tokens = "characters"
    length: Whole = 128
    held_out: Share = 0.1

    def facts(self) -> DataFacts:
        return DataFacts("text", vocab=vocabulary(self.tokens))
