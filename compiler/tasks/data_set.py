"""What the options of data sets share."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Discriminator, Field, Tag

from compiler.language.choice import Choice
from compiler.language.model import Model
from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.formulas import Whole

File = str
"""A path; where it is relative, from the folder of the spec."""


class DataSet(Choice):
    """One data set, with its options.

    Attributes:
        forms: what one example can be.
    """

    noun: ClassVar[str] = "data set"
    example: ClassVar[str] = "data: digits, or data: {digits: {shift: 1}}"
    package: ClassVar[str] = "compiler.tasks.data"
    by_param: ClassVar[bool] = True

    forms: ClassVar[tuple[Form, ...]]

    @abstractmethod
    def facts(self) -> DataFacts:
        """What is known before the data is read."""


Vocabulary = Annotated[Whole, Field(ge=8, le=1_000_000)]
"""How many tokens; the special ones, of which there are up to four, count."""


class Bpe(Model):
    """Byte pair encoding with so many tokens, learned from the training part (Sennrich et al., 2016)."""

    bpe: Vocabulary


class Words(Model):
    """Words and marks, the most frequent ones; all others are one token. How they are spaced is not kept."""

    words: Vocabulary


def _cut(value: Any) -> str | None:
    """Which way of cutting text is written."""
    if value == "characters":
        return "characters"
    known = isinstance(value, dict) and len(value) == 1
    return next((name for name in ("bpe", "words") if known and name in value), None)


Tokens = Annotated[
    Annotated[Literal["characters"], Tag("characters")]
    | Annotated[Bpe, Tag("bpe")]
    | Annotated[Words, Tag("words")],
    Discriminator(
        _cut,
        custom_error_type="bad-value",
        custom_error_message="text is cut into characters, {bpe: 4000} or {words: 10000}",
    ),
]
"""How text is cut: characters, `{bpe: 2000}` or `{words: 10000}`."""


def vocabulary(tokens: Tokens) -> int | None:
    """How many tokens there will be; None where the text decides."""
    match tokens:
        case Bpe():
            return tokens.bpe
        case Words():
            return tokens.words
    return None
