"""What a run stores of its data to use its networks without it, checked when a run is opened."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, ValidationError

from compiler.diagnostics.diagnostic import DataError
from compiler.tasks.data_facts import Answer, DataFacts, Form
from runtime.data.images import Range
from runtime.data.table_columns import CategoryColumn, NumberColumn
from runtime.data.tokenizer import Tokenizer


class _Metadata(BaseModel):
    """The keys of one form of data."""

    model_config = ConfigDict(extra="forbid", strict=True)


class _Normalization(_Metadata):
    mean: list[float]
    std: list[float]


class _Answers(_Metadata):
    classes: list[str] = []
    targets: list[NumberColumn] = []
    labels: list[str] = []


class _Images(_Answers):
    range: Range
    normalize: _Normalization | None = None


class _CaptionedImages(_Metadata):
    tokenizer: dict[str, Any]
    captions: dict[str, str]
    range: Range
    normalize: _Normalization | None = None


class _LabelledText(_Answers):
    tokenizer: dict[str, Any]


class _Tables(_Answers):
    numbers: list[NumberColumn]
    categories: list[CategoryColumn]


class _Text(_Metadata):
    tokenizer: dict[str, Any]
    characters_per_token: float


class _Pairs(_Metadata):
    source: dict[str, Any]
    target: dict[str, Any]


class _Speech(_Metadata):
    tokenizer: dict[str, Any]
    rate: int
    mels: int


class _TaggedText(_Metadata):
    tokenizer: dict[str, Any]
    tags: list[str]


class _Waveforms(_Metadata):
    classes: list[str]
    rate: int


class _Questions(_Metadata):
    tokenizer: dict[str, Any]


class _Series(_Metadata):
    mean: list[float]
    std: list[float]
    season: int
    columns: list[str]
    end: list[list[float]]


_MODELS: Final[Mapping[Form, type[_Metadata]]] = {
    "images": _Images,
    "videos": _Images,
    "segmented images": _Images,
    "boxed images": _Images,
    "captioned images": _CaptionedImages,
    "sequences": _Images,
    "labelled text": _LabelledText,
    "tables": _Tables,
    "text": _Text,
    "pairs": _Pairs,
    "series": _Series,
    "speech": _Speech,
    "tagged text": _TaggedText,
    "questions": _Questions,
    "dialogues": _Text,
    "waveforms": _Waveforms,
}
_ANSWERS: Final[Mapping[Answer, str]] = {
    "classes": "classes",
    "numbers": "targets",
    "labels": "labels",
}
"""Where the names of each form of answer are."""
_TOKENIZERS: Final = ("tokenizer", "source", "target")


def check_metadata(facts: DataFacts, metadata: Mapping[str, Any], file: Path) -> None:
    """Check the metadata of a form of data.

    Args:
        facts: what is known of the data without it.
        metadata: content of `vocabulary.json`.
        file: where it was read, for messages.

    Raises:
        DataError: if a key is missing, unknown or has a wrong type, or a tokenizer is damaged.
    """
    try:
        found = _MODELS[facts.form].model_validate(dict(metadata))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(map(str, first["loc"]))
        raise DataError(f"{file} cannot be used: {key}: {first['msg']}") from None
    for answer in facts.answers if isinstance(found, _Answers) else ():
        if not metadata.get(_ANSWERS[answer]):
            message = f"{file} cannot be used: {_ANSWERS[answer]}: it has none"
            raise DataError(message)
    for key in _TOKENIZERS:
        if key in metadata:
            _check_tokenizer(key, metadata[key], file)


def _check_tokenizer(key: str, content: Any, file: Path) -> None:
    try:
        Tokenizer.from_json(content)
    except Exception as error:  # noqa: BLE001  # the library raises its own, for any damage
        message = f"{file} cannot be used: {key}: {type(error).__name__}: {error}"
        raise DataError(message) from None
