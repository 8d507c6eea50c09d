"""Options that are a name, or several."""

from typing import Annotated

from pydantic import BeforeValidator

Names = Annotated[
    str | tuple[str, ...],
    BeforeValidator(lambda v: tuple(v) if isinstance(v, list) else v),
]
"""A name, or a list of names."""


def names_of(names: Names) -> tuple[str, ...]:
    """The names, of which there may be one.

    >>> names_of("age")
    ('age',)
    """
    return (names,) if isinstance(names, str) else names
