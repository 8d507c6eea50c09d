"""The base class of data sets' options."""

from __future__ import annotations

import typing
from abc import abstractmethod
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Discriminator, Field, Tag

from compiler.dataclass import dataclass
from compiler.language.choice import Choice
from compiler.language.model import Model
from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.formulas import Whole


@dataclass(frozen=True)
class IsFile:
    """Marks an option as a path."""


File = Annotated[str, IsFile()]
"""A path; relative paths start at the folder of the spec."""


class DataSet(Choice):
    """One data set, with its options.

    Attributes:
        forms: the possible forms of examples.
    """

    noun: ClassVar[str] = "data set"
    example: ClassVar[str] = (
        "data: digits, or data: {digits: {augment: [{shift: {pixels: 1}}]}}"
    )
    package: ClassVar[str] = "compiler.tasks.data"
    by_param: ClassVar[bool] = True

    forms: ClassVar[tuple[Form, ...]]

    @abstractmethod
    def facts(self) -> DataFacts:
        """The properties that are known before the data is read."""

    @property
    def holds_out(self) -> bool:
        """Whether a part is held out, on which training is evaluated."""
        return bool(getattr(self, "held_out", True))

    @classmethod
    def file_options(cls) -> list[str]:
        """The names of the options that are paths."""
        hints = typing.get_type_hints(cls, include_extras=True)
        return [name for name in cls.model_fields if _is_file(hints[name])]


def _is_file(annotation: Any) -> bool:
    parts = (annotation, *typing.get_args(annotation))
    return any(IsFile() in getattr(part, "__metadata__", ()) for part in parts)


Vocabulary = Annotated[Whole, Field(ge=8, le=1_000_000)]
"""How many tokens; the special ones, of which there are up to four, count."""


class Bpe(Model):
    """Byte pair encoding with this number of tokens, learned from the training part (Sennrich et al., 2016)."""

    bpe: Vocabulary


class Words(Model):
    """The most frequent words and punctuation marks; all others are one token. Spacing is lost."""

    words: Vocabulary


def _cut(value: Any) -> str | None:
    """Which way of cutting text is written."""
    if value == "characters":
        return "characters"
    keys = value.model_dump() if isinstance(value, Bpe | Words) else value
    known = isinstance(keys, dict) and len(keys) == 1
    return next((name for name in ("bpe", "words") if known and name in keys), None)


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


Mels = Annotated[Whole, Field(le=256)]
"""Bands of a mel spectrogram."""
Rate = Annotated[Whole, Field(ge=1000, le=192_000)]
"""Samples of audio in a second."""


def vocabulary(tokens: Tokens) -> int | None:
    """Size of the vocabulary; None if it depends on the text."""
    match tokens:
        case Bpe():
            return tokens.bpe
        case Words():
            return tokens.words
    return None
