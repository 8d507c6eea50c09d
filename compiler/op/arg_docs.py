"""What an op's argument can be, read off its annotation: for words, docs and schema."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from dataclasses import dataclass, replace
from types import UnionType
from typing import Any, Literal

from compiler.op.arg_types import Sized, sized

Base = Literal["null", "boolean", "integer", "number", "text", "choice"]

_BASES: dict[Any, Base] = {
    type(None): "null",
    None: "null",
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "text",
}


@dataclass(frozen=True, slots=True)
class Alternative:
    """One of the kinds of value that an argument takes."""

    base: Base
    least: float | None = None
    above: float | None = None
    most: float | None = None
    choices: tuple[Any, ...] = ()
    many: bool = False
    """Whether it may be a list of them, and one alone stands for such a list."""
    named: bool = False
    """Whether it is a mapping from names to them."""
    symbolic: bool = False
    """Whether it may hold the symbols of the inputs."""


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
        for item in _alternatives(parts[0]):
            yield replace(item, many=True)
    elif (marker := sized(annotation)) is not None:
        yield _size(marker)
    elif hasattr(annotation, "__metadata__"):
        for item in _alternatives(parts[0]):
            yield _bounded(item, annotation.__metadata__)
    else:
        yield Alternative(_BASES[annotation])


def _size(marker: Sized) -> Alternative:
    return Alternative(
        "integer",
        least=marker.least,
        many=marker.many,
        named=marker.named,
        symbolic=marker.symbolic,
    )


def _bounded(item: Alternative, metadata: tuple[Any, ...]) -> Alternative:
    """The bounds that pydantic's `Field` puts on a number."""
    for extra in metadata:
        for bound in getattr(extra, "metadata", ()):
            item = replace(
                item,
                least=getattr(bound, "ge", item.least),
                above=getattr(bound, "gt", item.above),
                most=getattr(bound, "le", item.most),
            )
    return item
