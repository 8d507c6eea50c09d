"""How sequences are decoded by a network that predicts the next token."""

from __future__ import annotations

from compiler.language.model import Model
from compiler.tasks.formulas import NotNegative, Whole


class Decoding(Model):
    """How sequences are decoded.

    Attributes:
        beam: beam width; 1 is greedy decoding.
        length_penalty: exponent of the length by which scores are divided (Wu et al., 2016).
        most: maximum number of tokens that are decoded.
    """

    beam: Whole = 1
    length_penalty: NotNegative = 0.6
    most: Whole = 100
