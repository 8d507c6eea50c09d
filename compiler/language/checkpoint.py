"""`checkpoint:` of a spec: how the tensors of a published model become those of a network."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Annotated, Any, ClassVar, Final

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator

from compiler.diagnostics.diagnostic import suggest
from compiler.diagnostics.text import shorten
from compiler.language.identifiers import snake_case
from compiler.language.model import Model, fault, formula, mapping_of, named
from compiler.language.name_patterns import NamePattern, parse_pattern, parse_template
from compiler.op.arg_types import Formula
from compiler.op.schema_forms import (
    FORMULA,
    TEXT,
    Schema,
    SchemaForm,
    or_list,
    written_as,
)
from compiler.symbolic.evaluate import ExpressionError

SOURCES: Final = ("from", "concat", "stack")
"""Where a tensor comes from; each composition has one."""
STEPS: Final = ("chunk", "slice", "transpose", "reshape")
"""What is done with it."""
_ALONG: Final = ("concat", "stack", "chunk", "slice")
"""What works along `dim`."""
_PREFIX: Final = re.compile(r"\w+(\.\w+)*", re.ASCII)
_KEYS: Final = (*SOURCES, "over", *STEPS, "dim")


def _text(parse: Callable[[str], Any], text: Any) -> Any:
    """The name of a tensor, as what it means."""
    if not isinstance(text, str):
        raise fault("bad-type", "the name of a tensor is text")
    try:
        return parse(text)
    except ExpressionError as error:
        offsets = error.start, error.end
        raise fault("bad-rule", error.message, offsets=offsets) from None


def _name_pattern(value: Any) -> Any:
    return _text(parse_pattern, value)


def _integer(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise fault("bad-type", "this is an integer, or an expression")
    return formula(value)


def _pair(value: Any) -> Any:
    if not isinstance(value, list) or len(value) != 2:
        raise fault("bad-type", "this is a list of two integers")
    return value


def _as_compositions(value: Any) -> Any:
    """One composition is a list of one."""
    if value == []:
        raise fault("bad-value", "there must be at least one tensor")
    return value if isinstance(value, list) else [value]


def _alternatives(value: Any) -> Any:
    """One composition is the only one; null is none, and may be what is left after all others."""
    if value == []:
        raise fault("bad-value", "there must be at least one rule")
    if isinstance(value, list) and None in value[:-1]:
        at = (value.index(None),)
        raise fault("bad-value", "null is the last of several rules", at=at)
    return value if isinstance(value, list) else [value]


def _prefix(value: Any) -> Any:
    if not isinstance(value, str):
        raise fault("bad-type", "a prefix is text")
    if not _PREFIX.fullmatch(value):
        message = "a prefix is the first part of names, or several with dots between"
        raise fault("bad-value", f"{message}: transformer")
    return value


CompositionInteger = Annotated[
    Any,
    BeforeValidator(_integer),
    written_as({"anyOf": [{"type": "integer"}, FORMULA]}),
]
IntegerPair = Annotated[
    list[CompositionInteger],
    BeforeValidator(_pair),
    SchemaForm(lambda list_: {**list_, "minItems": 2, "maxItems": 2}),
]
CounterName = Annotated[str, named(snake_case, "a counter")]


class Composition(Model):
    """The name of a published tensor; or its sources and the operations on them, in the order of the keys."""

    also_written: ClassVar[tuple[Schema, ...]] = (TEXT,)
    one_of: ClassVar[tuple[str, ...]] = SOURCES
    derived: ClassVar[tuple[str, ...]] = ("name", "steps")

    name: Any = None
    """A template, where it is the name of one tensor."""
    source: Composition | None = Field(default=None, alias="from")
    concat: Compositions | None = None
    stack: Compositions | None = None
    over: (
        Annotated[dict[CounterName, CompositionInteger], mapping_of("counters")] | None
    ) = None
    chunk: IntegerPair | None = None
    slice: IntegerPair | None = None
    transpose: IntegerPair | None = None
    reshape: list[CompositionInteger] | None = None
    dim: int = 0
    steps: tuple[str, ...] = ()
    """The keys of what is done, as they are written."""

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"name": _text(parse_template, value)}
        if not isinstance(value, dict):
            example = "{from: h.weight, transpose: [0, 1]}"
            raise fault("bad-type", f"a rule is a name, null, or a mapping: {example}")
        _check_keys(value)
        return {**value, "steps": tuple(key for key in value if key in STEPS)}

    @property
    def parts(self) -> list[Composition]:
        """The compositions of its sources."""
        alone = [] if self.source is None else [self.source]
        return [*alone, *(self.concat or ()), *(self.stack or ())]

    @property
    def numbers(self) -> Iterator[tuple[tuple[str | int, ...], Formula]]:
        """Its own expressions, with their paths."""
        for key in STEPS:
            for place, item in enumerate(getattr(self, key) or ()):
                if isinstance(item, Formula):
                    yield (key, place), item
        for counter, item in (self.over or {}).items():
            if isinstance(item, Formula):
                yield ("over", counter), item


def _check_keys(value: dict[str, Any]) -> None:
    if unknown := next((key for key in value if key not in _KEYS), None):
        help = suggest(unknown, _KEYS) or f"the keys are {', '.join(_KEYS)}"
        message = f"there is no key {shorten(unknown)} here"
        raise fault("unknown-key", message, at=(unknown,), key=True, help=help)
    sources = [key for key in SOURCES if key in value]
    if len(sources) != 1:
        message = f"a rule has one of {', '.join(SOURCES)}"
        raise fault("missing-key" if not sources else "bad-value", message, key=True)
    if "over" in value and sources == ["from"]:
        message = "`over` goes with `stack` or `concat`"
        raise fault("bad-value", message, at=("over",), key=True)
    along = [key for key in _ALONG if key in value]
    if len(along) > 1:
        message = f"`{along[0]}` and `{along[1]}` would share one `dim`"
        help = "put one of them into a mapping of its own, under `from`"
        raise fault("bad-value", message, at=(along[1],), key=True, help=help)
    if "dim" in value and not along:
        message = f"`dim` goes with {', '.join(_ALONG)}"
        raise fault("bad-value", message, at=("dim",), key=True)


def pattern_text(text: str) -> str:
    """Check that a text is a pattern of names."""
    try:
        parse_pattern(text)
    except ExpressionError as error:
        raise fault("bad-rule", f"{shorten(text)}: {error.message}") from None
    return text


Compositions = Annotated[
    list[Composition],
    BeforeValidator(_as_compositions),
    SchemaForm(lambda compositions: or_list(compositions["items"])),
]
Alternatives = Annotated[
    list[Composition | None],
    BeforeValidator(_alternatives),
    SchemaForm(lambda compositions: or_list(compositions["items"])),
]


class Section(Model):
    """The rules of one network: published names for names of the spec (the first match counts), and what to ignore.

    Attributes:
        model: whose names are meant: a class, or a file.
        prefix: the leading part that the names in a file may lack, or have besides.
        tensors: patterns of our names, each with the compositions for it, of which the first counts whose tensors are
            there; null, the last of them, leaves a tensor as it is initialised where the file has nothing of it.
        ignore: patterns of published names that are not needed.
    """

    model: str = ""
    prefix: Annotated[str, BeforeValidator(_prefix)] = ""
    tensors: Annotated[
        dict[Annotated[str, AfterValidator(pattern_text)], Alternatives],
        mapping_of("tensors"),
    ] = Field(default={})
    ignore: list[Annotated[Any, BeforeValidator(_name_pattern), written_as(TEXT)]] = (
        Field(default=[])
    )

    def rules(self) -> list[tuple[NamePattern, list[Composition | None]]]:
        """The patterns with their compositions, in order; None leaves a tensor as it is initialised."""
        return [(parse_pattern(key), each) for key, each in self.tensors.items()]


class Checkpoint(Section):
    """The rules of the only network, or of each network by name."""

    model_config = ConfigDict(extra="allow")

    __pydantic_extra__: dict[str, Section]

    @property
    def sections(self) -> dict[str, Section]:
        """The sections by network; the only one under ""."""
        return dict(self.model_extra) if self.model_extra else {"": self}

    @model_validator(mode="before")
    @classmethod
    def _one_or_several(cls, value: Any) -> Any:
        """Keys that hold no section are misspelt, and not networks."""
        known = Section.model_fields
        if not isinstance(value, dict):
            message = f"checkpoint is a mapping: {', '.join(known)}"
            raise fault("bad-type", message)
        for key, entry in value.items():
            section = isinstance(entry, dict) and any(name in known for name in entry)
            if key not in known and (not section or any(k in known for k in value)):
                help = suggest(key, known) or f"the keys are {', '.join(known)}"
                message = f"there is no key {shorten(key)} here"
                raise fault("unknown-key", message, at=(key,), key=True, help=help)
        return value
