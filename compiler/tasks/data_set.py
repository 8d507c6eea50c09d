"""The base class of data sets' options."""

from __future__ import annotations

import typing
from abc import abstractmethod
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import Discriminator, Field, Tag

from compiler.dataclass import dataclass
from compiler.language.choice import Choice
from compiler.language.model import Model
from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.formulas import Flag, Whole


@dataclass(frozen=True)
class IsFile:
    """Marks an option as a path."""


File = Annotated[str, IsFile()]
"""A path; relative paths start at the folder of the spec. `package:NAME/PATH` is a file of an installed package."""
PACKAGE: Final = "package:"
"""What the path of a package's file starts with."""


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

    def files(self) -> dict[tuple[str, ...], str]:
        """The options that are paths, with their values, by their path in the options."""
        return dict(_files(self))


def _files(options: Model) -> Iterator[tuple[tuple[str, ...], str]]:
    hints = typing.get_type_hints(type(options), include_extras=True)
    for name in type(options).model_fields:
        value = getattr(options, name)
        if isinstance(value, Model):
            yield from (((name, *path), file) for path, file in _files(value))
        elif value is not None and _is_file(hints[name]):
            yield (name,), value


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


class TokenizerFile(Model):
    """A published tokenizer: a `tokenizer.json`, or a vocabulary of WordPiece (`vocab.txt`; Wu et al., 2016).

    Attributes:
        file: the file; its name ends in .json or .txt.
        lowercase: of a `vocab.txt`, whether text is in lower case and without accents.
        special: whether separate texts have the special tokens around them that the tokenizer adds, as [CLS] and [SEP].
    """

    file: File
    lowercase: Flag = True
    special: Flag = True


def _cut(value: Any) -> str | None:
    """Which way of cutting text is written."""
    if value == "characters":
        return "characters"
    if isinstance(value, TokenizerFile) or (
        isinstance(value, dict) and "file" in value
    ):
        return "file"
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
TextTokens = Annotated[
    Annotated[Literal["characters"], Tag("characters")]
    | Annotated[Bpe, Tag("bpe")]
    | Annotated[Words, Tag("words")]
    | Annotated[TokenizerFile, Tag("file")],
    Discriminator(
        _cut,
        custom_error_type="bad-value",
        custom_error_message="text is cut into characters, {bpe: 4000}, {words: 10000} or {file: tokenizer.json}",
    ),
]
"""How text is cut; also by a published tokenizer: `{file: tokenizer.json}`."""


Mels = Annotated[Whole, Field(le=256)]
"""Bands of a mel spectrogram."""
Rate = Annotated[Whole, Field(ge=1000, le=192_000)]
"""Samples of audio in a second."""


def vocabulary(tokens: TextTokens) -> int | None:
    """Size of the vocabulary; None if it depends on the text."""
    match tokens:
        case Bpe():
            return tokens.bpe
        case Words():
            return tokens.words
    return None
