"""Weights of classes in a loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from compiler.diagnostics.diagnostic import suggest
from compiler.diagnostics.text import listed, shorten
from compiler.tasks.formulas import Positive
from compiler.tasks.ports import PortCheck

ClassWeights = Literal["balanced"] | dict[str, Positive]
"""`balanced`, or the weight of each class by name."""


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
