"""What an argument takes, read off its annotation: in words, and as JSON Schema.

Arguments of ops are described so, and those of all else that a spec names with
arguments: data sets, optimizers, initialisations, ...
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import UnionType
from typing import Any, Literal

from pydantic import BaseModel

from compiler.dataclass import dataclass
from compiler.diagnostics.text import either
from compiler.op.arg_types import Axes, Factors, Sized, sized
from compiler.op.as_yaml import as_yaml
from compiler.op.schema_forms import FORMULA, PARAM_NAME, Schema

Base = Literal["null", "boolean", "integer", "number", "text", "choice", "mapping"]

_BASES: dict[Any, Base] = {
    type(None): "null",
    None: "null",
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "text",
}
_WORDS = {
    "null": ("null", "null"),
    "boolean": ("true or false", "bools"),
    "integer": ("an integer", "integers"),
    "number": ("a number", "numbers"),
    "text": ("text", "texts"),
}
_COUNTS = {2: "two", 3: "three", 4: "four"}


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument as its users see it; `default` is None where it is required, else as in YAML."""

    name: str
    takes: str
    default: str | None
    text: str = ""
    """What is said of it."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """One of the kinds of value that an argument takes."""

    base: Base
    least: float | None = None
    above: float | None = None
    most: float | None = None
    below: float | None = None
    choices: tuple[Any, ...] = ()
    many: Literal["", "list", "one or list"] = ""
    """Whether it is a list of them; one alone may stand for such a list."""
    count: int | None = None
    """How many the list has, if it has a fixed number."""
    named: bool = False
    """Whether it is a mapping from names to them."""
    symbolic: bool = False
    """Whether it may hold the symbols of the inputs."""
    model: type[BaseModel] | None = None
    """Whose keys a mapping has."""


def alternatives(annotation: Any) -> tuple[Alternative, ...]:
    """The kinds of value that an annotation admits.

    >>> [one.base for one in alternatives(int | None)]
    ['integer', 'null']
    """
    return tuple(dict.fromkeys(_alternatives(annotation)))


def _alternatives(annotation: Any) -> Iterator[Alternative]:
    origin = typing.get_origin(annotation)
    parts = typing.get_args(annotation)
    if origin in (UnionType, typing.Union):
        for member in parts:
            yield from _alternatives(member)
    elif origin is Literal:
        yield Alternative("choice", choices=parts)
    elif origin in (tuple, list):
        yield from _lists(annotation, parts)
    elif origin is dict:
        for item in _alternatives(parts[1]):
            yield replace(item, named=True)
    elif (marker := sized(annotation)) is not None:
        yield _size(marker)
    elif hasattr(annotation, "__metadata__"):
        for item in _alternatives(parts[0]):
            yield _bounded(item, annotation.__metadata__)
    elif annotation in _BASES:
        yield Alternative(_BASES[annotation])
    else:
        yield Alternative("mapping", model=annotation)


def _lists(annotation: Any, items: tuple[Any, ...]) -> Iterator[Alternative]:
    if annotation == Factors:  # an integer is a number
        yield Alternative("number", many="one or list")
        return
    open_ended = items[-1] is Ellipsis or len(items) == 1
    for item in _alternatives(items[0]):
        yield replace(
            item,
            many="one or list" if annotation == Axes else "list",
            count=None if open_ended else len(items),
        )


def _size(marker: Sized) -> Alternative:
    return Alternative(
        "integer",
        least=marker.least,
        many="one or list" if marker.many else "",
        named=marker.named,
        symbolic=marker.symbolic,
    )


def _bounded(item: Alternative, metadata: tuple[Any, ...]) -> Alternative:
    """The bounds that pydantic's `Field` puts on a number; later ones replace those before."""
    for extra in metadata:
        for bound in getattr(extra, "metadata", ()):
            item = replace(
                item,
                least=getattr(bound, "ge", item.least),
                above=getattr(bound, "gt", item.above),
                most=getattr(bound, "le", item.most),
                below=getattr(bound, "lt", item.below),
            )
    return item


def keys_of(model: type[BaseModel]) -> str:
    """A mapping in words: its only key, or that it has several."""
    keys = list(model.model_fields)
    return f"`{{{keys[0]}: n}}`" if len(keys) == 1 else "a mapping, see below"


def takes(
    annotation: Any,
    mapping: Callable[[type[BaseModel]], str] = keys_of,
    null: bool = True,
) -> str:
    """What an argument takes, in words.

    Args:
        annotation: its type.
        mapping: gives the words for a mapping with keys of its own.
        null: whether null is said, where the type admits it.

    >>> takes(int | None), takes(Literal["mse", "bce"] | None, null=False)
    ('an integer or null', 'mse or bce')
    """
    found = [one for one in alternatives(annotation) if null or one.base != "null"]
    return " or ".join(dict.fromkeys(_described(one, mapping) for one in found))


def _described(one: Alternative, mapping: Callable[[type[BaseModel]], str]) -> str:
    if one.base == "choice":
        return either([as_yaml(value) for value in one.choices])
    if one.model is not None:
        text = mapping(one.model)
        return f"a list, each {text}" if one.many == "list" else text
    single, several = _WORDS[one.base]
    bounds = _bounds(one)
    text = f"{single}{bounds}"
    if one.named:
        text = f"a mapping from names to {several}{bounds}"
    elif one.many:
        count = "a list of" if one.count is None else _COUNTS[one.count]
        lone = f"{text}, or " if one.many == "one or list" else ""
        text = f"{lone}{count} {several}"
    return f"{text} (symbols too)" if one.symbolic else text


def _bounds(one: Alternative) -> str:
    most = "" if one.most is None else _number(one.most)
    most = most if one.below is None else f"below {_number(one.below)}"
    if one.least is not None and most:
        return f" from {_number(one.least)} to {most}"
    if one.least is not None:
        return f" of at least {_number(one.least)}"
    if one.above is not None:
        return f" above {_number(one.above)}"
    return f" up to {most}" if most else ""


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def argument_schema(annotation: Any) -> Schema:
    """What an argument of an op takes, as JSON Schema: a number may be a formula, and a text `$name`.

    >>> argument_schema(bool)["anyOf"][0]
    {'type': 'boolean'}
    """
    found = alternatives(annotation)
    forms = [_form(one) for one in found]
    texts = [one.base in ("text", "choice") for one in found]
    forms += [PARAM_NAME] * any(texts) + [FORMULA] * (not all(texts))
    return {"anyOf": forms}


def _form(one: Alternative) -> Schema:
    item = _item(one)
    items = {"anyOf": [item, FORMULA]}
    if one.named:
        return {"type": "object", "additionalProperties": items}
    listing: Schema = {"type": "array", "items": items}
    if one.many == "list":
        return listing
    return {"anyOf": [item, listing]} if one.many else item


def _item(one: Alternative) -> Schema:
    if one.base == "choice":
        return {"enum": list(one.choices)}
    kind: Schema = {"type": "string" if one.base == "text" else one.base}
    bounds = {
        "minimum": one.least,
        "exclusiveMinimum": one.above,
        "maximum": one.most,
        "exclusiveMaximum": one.below,
    }
    return kind | {key: bound for key, bound in bounds.items() if bound is not None}
