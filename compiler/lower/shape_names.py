"""Shapes in comments and docstrings: long sizes get short names, which are explained once."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from compiler.lower.class_plan import ClassPlan
from compiler.lower.use_sizes import OneOf
from compiler.symbolic.dims import Dim
from compiler.symbolic.symbols import CopyNumber, InputDim, Symbol
from compiler.symbolic.tensor import TensorType, shape_text

LONGEST = 16
"""A size whose text is longer gets a name."""
LONGEST_TOLD = 76
"""A size whose formula is longer is told as it is for the params of the spec."""


class ShapeNames:
    """How the shapes of one class are told: `[B, planes, H1, W1]`.

    A name is the dimension that the size comes from, with a number (`H1`), or `N` where
    it comes from several or none.
    """

    def __init__(self, plan: ClassPlan) -> None:
        self.named: dict[Dim, str] = {}
        self._taken = set(plan.first.names) | {"N0"}
        self._last: dict[str, int] = {}
        self._value = plan.first.context.value if plan.scope.kind == "network" else None
        for size in dict.fromkeys(s for kind in _kinds(plan) for s in kind.shape):
            if size.constant is None and self._is_long(size):
                self._name(size)

    def shape(self, shape: Iterable[Dim]) -> str:
        """A shape in these names."""
        return shape_text(tuple(shape), self.named.get)

    def kind(self, kind: TensorType) -> str:
        """A type in these names."""
        return f"{kind.kind}{self.shape(kind.shape)}"

    def clauses(self) -> list[str]:
        """`H1 = (H - 1) // stride + 1` for every name."""
        before: dict[Hashable, tuple[str, int]] = {}
        return [f"{n} = {self._told(s, n, before)}" for s, n in self.named.items()]

    def _is_long(self, size: Dim) -> bool:
        differs = any(isinstance(symbol, OneOf) for symbol in size.symbols)
        return differs or len(str(size)) > LONGEST

    def _dimensions(self, size: Dim) -> set[str]:
        """The dimensions that a size is made of, or those that it may be."""
        either = [symbol for symbol in size.symbols if isinstance(symbol, OneOf)]
        parts = [part for symbol in either for part in symbol.sizes] or [size]
        found = frozenset[Symbol]().union(*(part.symbols for part in parts))
        return {
            str(symbol) for symbol in found if isinstance(symbol, InputDim | CopyNumber)
        }

    def _told(
        self, size: Dim, name: str, before: dict[Hashable, tuple[str, int]]
    ) -> str:
        """A named size, by one named before it where that differs by a number.

        `before` are the names so far, each with the number in its size, by what else is in it.
        """
        rest, number = _parts(size)
        other, least = before.setdefault(rest, (name, number))
        if other != name:
            return f"{other} {'+' if number > least else '-'} {abs(number - least)}"
        text = str(size)
        if self._value is None or len(text) <= LONGEST_TOLD:
            return text
        return f"{self._value(size)} by default"

    def _name(self, size: Dim) -> None:
        if size in self.named:
            return
        found = self._dimensions(size)
        base = found.pop() if len(found) == 1 else "N"
        number = self._last.get(base, 0) + 1
        while f"{base}{number}" in self._taken:
            number += 1
        self._last[base] = number
        self.named[size] = f"{base}{number}"


def _parts(size: Dim) -> tuple[Hashable, int]:
    """A size without the number that is added, and that number."""
    *rest, last = size.terms
    return (size.terms, 0) if last[0] else (tuple(rest), last[1])


def _kinds(plan: ClassPlan) -> Iterable[TensorType]:
    for name in plan.scope.nodes:
        yield from plan.layers[name].outputs.values()
    yield from plan.outputs.values()
