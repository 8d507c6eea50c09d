"""What a run stores of its data to use its networks without it, checked when a run is opened."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, ValidationError

from compiler.diagnostics.diagnostic import DataError
from compiler.tasks.data_facts import Form
from runtime.data.images import Range
from runtime.data.tokenizer import Tokenizer


class _Metadata(BaseModel):
    """The keys of one form of data."""

    model_config = ConfigDict(extra="forbid", strict=True)


class _Normalization(_Metadata):
    mean: list[float]
    std: list[float]


class _Images(_Metadata):
    classes: list[str]
    range: Range
    normalize: _Normalization | None = None


class _LabelledText(_Metadata):
    tokenizer: dict[str, Any]
    classes: list[str]


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


class _Series(_Metadata):
    mean: list[float]
    std: list[float]
    season: int
    columns: list[str]
    end: list[list[float]]


_MODELS: Final[Mapping[Form, type[_Metadata]]] = {
    "images": _Images,
    "sequences": _Images,
    "labelled text": _LabelledText,
    "text": _Text,
    "pairs": _Pairs,
    "series": _Series,
    "speech": _Speech,
}
_TOKENIZERS: Final = ("tokenizer", "source", "target")


def check_metadata(form: Form, metadata: Mapping[str, Any], file: Path) -> None:
    """Check the metadata of a form of data.

    Args:
        form: the form of the examples.
        metadata: content of `vocabulary.json`.
        file: where it was read, for messages.

    Raises:
        DataError: if a key is missing, unknown or has a wrong type, or a tokenizer is damaged.
    """
    try:
        _MODELS[form].model_validate(dict(metadata))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(map(str, first["loc"]))
        raise DataError(f"{file} cannot be used: {key}: {first['msg']}") from None
    for key in _TOKENIZERS:
        if key in metadata:
            _check_tokenizer(key, metadata[key], file)


def _check_tokenizer(key: str, content: Any, file: Path) -> None:
    try:
        Tokenizer.from_json(content)
    except Exception as error:  # noqa: BLE001  # the library raises its own, for any damage
        message = f"{file} cannot be used: {key}: {type(error).__name__}: {error}"
        raise DataError(message) from None
