"""Shapes in comments and docstrings: long sizes get short names, which are explained once."""

from __future__ import annotations

from collections.abc import Iterable

from compiler.lower.class_plan import ClassPlan
from compiler.symbolic.dims import Dim
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
        self._params = set(plan.scope.environment.params)
        self._differing = plan.differing
        self._value = plan.first.context.value if plan.scope.kind == "network" else None
        for kind in _kinds(plan):
            for size in kind.shape:
                if size.constant is None and self._is_long(size):
                    self._name(size)

    def shape(self, shape: Iterable[Dim]) -> str:
        """A shape in these names."""
        known = (Dim.symbol(self.named[s]) if s in self.named else s for s in shape)
        return shape_text(tuple(known))

    def kind(self, kind: TensorType) -> str:
        """A type in these names."""
        return f"{kind.kind}{self.shape(kind.shape)}"

    def clauses(self) -> list[str]:
        """`H1 = (H - 1) // stride + 1` for every name."""
        return [f"{n} = {self._told(size)}" for size, n in self.named.items()]

    def _is_long(self, size: Dim) -> bool:
        return len(str(size)) > LONGEST or not size.symbols.isdisjoint(self._differing)

    def _symbols(self, size: Dim) -> list[str]:
        """The dimensions that a size is made of, or those that it may be."""
        parts = [one for s in size.symbols for one in self._differing.get(s, ())] or [
            size
        ]
        found = {s: None for part in parts for s in sorted(part.symbols)}
        return [s for s in found if s.isidentifier()]

    def _told(self, size: Dim) -> str:
        """A named size, by one named before it where that differs by a number."""
        for other, name in self.named.items():
            if other is size:
                break
            difference = (size - other).constant
            if difference is not None:
                return f"{name} {'+' if difference > 0 else '-'} {abs(difference)}"
        text = _bare(str(size))
        if self._value is None or len(text) <= LONGEST_TOLD:
            return text
        return f"{_bare(str(self._value(size)))} by default"

    def _name(self, size: Dim) -> None:
        if size in self.named:
            return
        symbols = [s for s in self._symbols(size) if s not in self._params]
        base = symbols[0] if len(symbols) == 1 else "N"
        number = self._last.get(base, 0) + 1
        while f"{base}{number}" in self._taken:
            number += 1
        self._last[base] = number
        self.named[size] = f"{base}{number}"


def _kinds(plan: ClassPlan) -> Iterable[TensorType]:
    for name in plan.scope.nodes:
        yield from plan.layers[name].outputs.values()
    yield from plan.outputs.values()


def _bare(text: str) -> str:
    """Without the brackets around all of it."""
    depth = 0
    for place, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth == 0 and place < len(text) - 1:
            return text
    return text[1:-1] if text.startswith("(") else text
