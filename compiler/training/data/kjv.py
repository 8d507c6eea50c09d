"""The King James Bible, 31,084 verses of English: public domain, shipped with LayerGraph."""

from __future__ import annotations

from compiler.training.base import Whole
from compiler.training.data.base import Data, Tokens, vocabulary
from compiler.training.facts import Facts


class Kjv(Data):
    """Options of the text.

    Attributes:
        tokens: how it is cut.
        length: tokens of one example.
    """

    tokens: Tokens = "characters"
    length: Whole = 128

    def facts(self) -> Facts:
        return Facts("text", vocab=vocabulary(self.tokens))
