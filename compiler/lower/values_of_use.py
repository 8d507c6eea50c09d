"""What each value of `forward` is in one use of a class, and what code comes to there."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from compiler.codegen.python import Expr, Placeholder, lit
from compiler.dataclass import dataclass
from compiler.ir.module import Local, Member, ScopeName, ScopeNumber
from compiler.lower.compare_code import Comparison
from compiler.lower.evaluate_code import (
    Unknown,
    fold,
    lookup,
    number_behind,
    number_code,
    value_of,
)
from compiler.lower.sizes import Kept
from compiler.symbolic.tensor import TensorType

NOTHING = lit(None)
"""What an optional input is that is not there."""


@dataclass(frozen=True, slots=True)
class Output:
    """An output of a layer that runs, or an input of the scope (`port` "")."""

    layer: str
    port: str


@dataclass(frozen=True, slots=True)
class Passing:
    """What a copy of a repeated layer is given by the one before it."""

    layer: str
    port: str


class ValuesOfUse:
    """The values of `forward` in one use: outputs of layers, numbers, code."""

    def __init__(self, comparison: Comparison) -> None:
        self.comparison = comparison
        self.use, self.held = comparison.use, comparison.held
        self.passing: dict[Passing, TensorType | None] = {}
        """The type of what a copy is given by the one before it."""
        self._values: dict[int, Expr] = {}
        self._lists: dict[str, Expr] = {}
        """The code of each list by its name: each copy may take an item of it."""

    def __setitem__(self, value: Local, code: Expr) -> None:
        self._values[value.number] = code

    def __getitem__(self, value: Local) -> Expr:
        code = self._values.get(value.number)
        if code is None:
            raise self.comparison.wrong("a value is read before it is there")
        return code

    def folded(self, code: Expr, copy: int | None = None) -> Expr:
        """Code with every value, size and condition as it is in this use."""
        return fold(
            code, lambda key: self._fill(key, copy), self._size_at, self._present
        )

    def value(self, code: Expr, copy: int | None = None) -> Any:
        """The value of code in the names of the scope."""
        try:
            return value_of(code, self.use, copy)
        except Unknown:
            raise self.comparison.wrong("a number cannot be worked out") from None

    def _fill(self, key: Hashable, copy: int | None) -> Expr:
        match key:
            case Local():
                return self[key]
            case Kept(name) | ScopeName(name):
                try:
                    return self._lists.get(name) or self._looked_up(name, copy)
                except Unknown:
                    raise self.comparison.wrong(f"{name} has no value") from None
            case ScopeNumber():
                try:
                    return number_code(number_behind(key, self.use))
                except Unknown:
                    raise self.comparison.wrong(
                        "a number of the scope has no value"
                    ) from None
        return Placeholder(key)

    def _looked_up(self, name: str, copy: int | None) -> Expr:
        """The value of a name as code.

        Raises:
            Unknown: where it has none.
        """
        value = lookup(name, self.use, copy)
        code = number_code(value)
        if isinstance(value, tuple | list):
            self._lists[name] = code
        return code

    def _present(self, key: Hashable) -> bool | None:
        """Whether a member is there in this use."""
        if not isinstance(key, Member):
            return True if isinstance(key, Output | Passing) else None
        return key.layer in self.held and self.use.nodes[key.layer].is_built

    def _size_at(self, key: Hashable, axis: int) -> Expr | None:
        """The size of a value at an axis."""
        kind = None
        if isinstance(key, Output) and key.port:
            kind = self.use.nodes[key.layer].outputs.get(key.port)
        elif isinstance(key, Output):
            kind = self.use.inputs.get(key.layer)
        elif isinstance(key, Passing):
            kind = self.passing.get(key)
        if kind is None or not -kind.rank <= axis < kind.rank:
            return None
        return number_code(self.use.context.value(kind.shape[axis]))
