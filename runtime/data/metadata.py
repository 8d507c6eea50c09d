"""What a run stores of its data to use its networks without it, checked when a run is opened."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from compiler.diagnostics.diagnostic import DataError
from compiler.tasks.data_facts import Answer, DataFacts, Form
from runtime.data.dates import read_date
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


class _DateStep(_Metadata):
    months: Annotated[int, Field(ge=0, le=1200)]
    seconds: Annotated[float, Field(ge=0, le=1e10, allow_inf_nan=False)]
    day: Annotated[int, Field(ge=1, le=31)]


_Number = Annotated[float, Field(allow_inf_nan=False)]
_Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class _OneSeries(_Metadata):
    name: str
    mean: list[_Number]
    std: list[_Positive]
    error: list[_Positive]
    end: list[list[_Number]]
    date: str = ""
    step: _DateStep | None = None

    @model_validator(mode="after")
    def _sizes(self) -> Self:
        widths = {len(self.mean), len(self.std), *map(len, self.end)}
        if len(widths) > 1:
            raise ValueError("sizes differ")
        if self.step is not None and read_date(self.date) is None:
            raise ValueError("date is none")
        return self


class _Series(_Metadata):
    season: Annotated[int, Field(ge=0)]
    columns: Annotated[list[str], Field(min_length=1)]
    series: Annotated[list[_OneSeries], Field(min_length=1)]

    @property
    def sizes(self) -> set[tuple[int | None, int]]:
        """The numbers of columns and of last times of the series."""
        return {(len(one.mean), len(one.end)) for one in self.series}

    @model_validator(mode="after")
    def _fits(self) -> Self:
        """Check that all series have the columns."""
        count = len(self.columns)
        for one in self.series:
            if len(one.error) != count or len(one.mean) < count:
                raise ValueError("series and columns do not agree")
        return self


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
    if isinstance(found, _Series) and found.sizes != {(facts.features, facts.length)}:
        raise DataError(
            f"{file} cannot be used: series: they are not those of the spec"
        )
    for key in _TOKENIZERS:
        if key in metadata:
            _check_tokenizer(key, metadata[key], file)


def _check_tokenizer(key: str, content: Any, file: Path) -> None:
    try:
        Tokenizer.from_json(content)
    except Exception as error:  # noqa: BLE001  # the library raises its own, for any damage
        message = f"{file} cannot be used: {key}: {type(error).__name__}: {error}"
        raise DataError(message) from None
