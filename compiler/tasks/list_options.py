"""Options that are lists, which YAML gives as lists and models keep as tuples."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator

from compiler.language.model import fault


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) < len(names):
        raise fault("bad-value", "two classes have the same name")
    return names


AS_TUPLE: Final = BeforeValidator(_tuple)
"""Annotates a tuple: a list is taken for it."""

Names = Annotated[str | tuple[str, ...], AS_TUPLE]
"""A name, or a list of names."""

ClassNames = Annotated[tuple[str, ...], AfterValidator(_distinct), AS_TUPLE]
"""The names of classes, each once."""


def names_of(names: Names) -> tuple[str, ...]:
    """The names, of which there may be one.

    >>> names_of("age")
    ('age',)
    """
    return (names,) if isinstance(names, str) else names
