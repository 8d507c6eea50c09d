"""Symbols, the variables of symbolic sizes: an input's dimension, a param, an item of a list, an opaque formula.

Equal symbols are one object. Symbols are compared by what they are, never by their text. Their order is total and
follows their text, so that a sum is always written in the same order.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import field, fields
from functools import total_ordering
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from compiler.dataclass import dataclass
from compiler.expr.syntax import (
    Expression,
    Indexing,
    NumberLiteral,
    Variable,
    unparse,
)
from compiler.symbolic.terms import Key

Owner = tuple[str | int, ...]
"""The scope of a symbol: a file, and the path of the scope in it."""

NETWORKS: Owner = ()
"""The owner of the dimensions of all networks of a file, which share one `dims` section."""

_table: WeakValueDictionary[Hashable, Symbol] = WeakValueDictionary()


class _Interned(type):
    """Constructor calls with equal arguments return the same object."""

    def __call__(cls, *parts: Any) -> Any:
        key = (cls, *parts)
        known = _table.get(key)
        return (
            _table.setdefault(key, super().__call__(*parts)) if known is None else known
        )


@total_ordering
@dataclass(frozen=True, slots=True, eq=False, repr=False, weakref_slot=True)
class Symbol(metaclass=_Interned):
    """A variable of symbolic sizes. `key` is its sort key, which begins with its text."""

    owner: Owner
    key: Key = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", (0, self.shown(), *self.identity()))

    def identity(self) -> Key:
        """The parts of the sort key that separate it from symbols with the same text."""
        return type(self).__name__, self.owner

    def shown(self) -> str:
        """Its text, unique among the symbols of its class and scope."""
        raise NotImplementedError

    @property
    def expr(self) -> Expression:
        """The symbol as an expression in the names of its scope."""
        return Variable(self.shown())

    @property
    def symbols(self) -> frozenset[Symbol]:
        """The set that has only this symbol."""
        return frozenset((self,))

    @property
    def size(self) -> int:
        """The size as an atom of a Dim: 1."""
        return 1

    @property
    def depth(self) -> int:
        """The nesting depth of floor divisions: 0."""
        return 0

    def __lt__(self, other: Symbol) -> bool:
        return self.key < other.key

    def __reduce__(self) -> tuple[type, tuple[Any, ...]]:
        return type(self), tuple(getattr(self, f.name) for f in fields(self) if f.init)

    def __str__(self) -> str:
        return self.shown()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self})"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class InputDim(Symbol):
    """A dimension named in the types of a scope's inputs: `T` of `x: float[B, T]`."""

    name: str

    def shown(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ParamNumber(Symbol):
    """The value of a numeric param: `width`."""

    name: str

    def shown(self) -> str:
        return self.name

    def item(self, number: int) -> ListItem:
        """An item of the param, which is a list."""
        return ListItem(self.owner, self.name, (number,))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ListItem(Symbol):
    """A number in a list: `widths[0]`, or `grid[0][1]` in a nested list."""

    name: str
    path: tuple[int, ...]

    def shown(self) -> str:
        return self.name + "".join(f"[{number}]" for number in self.path)

    @property
    def expr(self) -> Expression:
        found: Expression = Variable(self.name)
        for number in self.path:
            found = Indexing(found, NumberLiteral(number))
        return found

    def item(self, number: int) -> ListItem:
        """An item of this item, which is a list itself."""
        return ListItem(self.owner, self.name, (*self.path, number))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class EllipsisDim(Symbol):
    """One of the dimensions that the `...` of an input matches.

    `port` is "" for the first `...` of the scope.
    """

    port: str
    position: int

    def shown(self) -> str:
        own = f"{self.port}[{self.position}]" if self.port else str(self.position)
        return f"...{own}"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class CopyNumber(Symbol):
    """The index `i` of a copy of a repeated group; with an empty owner, of a copy of the current layer."""

    def shown(self) -> str:
        return "i"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Opaque(Symbol):
    """The value of a formula that is not a polynomial: `min(width, 8)`, `widths[early + 1]`.

    `counter` is the symbol of `i` in the formula: a group's copy number, or None for a layer's.
    """

    formula: Expression
    text: str
    counter: CopyNumber | None

    def shown(self) -> str:
        return self.text if isinstance(self.formula, Indexing) else f"({self.text})"

    def identity(self) -> Key:
        own = () if self.counter is None else self.counter.owner
        return type(self).__name__, self.owner, own

    def __str__(self) -> str:
        return self.text

    @property
    def expr(self) -> Expression:
        return self.formula


def symbol_of(
    owner: Owner, formula: Expression, counter: CopyNumber | None = None
) -> ListItem | Opaque:
    """The symbol of a formula: a list item with a constant index, or else an opaque formula."""
    path: list[int] = []
    part = formula
    while isinstance(part, Indexing) and isinstance(part.index, NumberLiteral):
        if not isinstance(part.index.value, int) or part.index.value < 0:
            break
        path.insert(0, part.index.value)
        part = part.value
    if path and isinstance(part, Variable):
        return ListItem(owner, part.id, tuple(path))
    return Opaque(owner, formula, unparse(formula), counter)


Value = TypeVar("Value")


def of_networks(values: Mapping[str, Value]) -> dict[Symbol, Value]:
    """Values of the networks' dimensions, keyed by symbol instead of by name."""
    return {InputDim(NETWORKS, name): value for name, value in values.items()}
