"""Weights of classes in a loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from compiler.diagnostics.diagnostic import suggest
from compiler.diagnostics.text import listed, shorten
from compiler.tasks.formulas import Positive
from compiler.tasks.ports import PortCheck

ClassWeights = (
    Literal["balanced"] | Annotated[float, Field(gt=0, le=1)] | dict[str, Positive]
)
"""`balanced`, the exponent of inverse frequencies, or the weight of each class by name."""


def exponent_of(weights: Literal["balanced"] | float) -> float:
    """The exponent of inverse frequencies: with 1, all classes weigh the same.

    >>> exponent_of("balanced")
    1.0
    """
    return 1.0 if weights == "balanced" else weights


def check_class_weights(
    check: PortCheck, weights: ClassWeights | None, names: Sequence[str], noun: str
) -> None:
    """Report weights of classes that the data does not have; before it is read, their names may be unknown."""
    if not isinstance(weights, dict) or not names:
        return
    for name in weights:
        if name not in names:
            help = suggest(name, names) or f"there are {shorten(listed(names), 200)}"
            message = f"there is no {noun} {shorten(name)}"
            path = ("class_weights", name)
            check.report("bad-value", path, message, help=help, key=True)
