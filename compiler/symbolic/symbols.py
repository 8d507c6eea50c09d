"""What symbolic sizes are made of: symbols, each of which says what it is.

Two symbols are one object or differ, by what they are and never by what they print. Their order is total and follows
their text, so that a sum is written the same way every time.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, fields
from functools import total_ordering
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from compiler.expr.syntax import (
    Expression,
    Indexing,
    NumberLiteral,
    Variable,
    unparse,
)
from compiler.symbolic.terms import Key

Owner = tuple[str | int, ...]
"""The scope that a symbol belongs to, by its file and its path there."""

NETWORKS: Owner = ()
"""The owner of the dimensions of all networks of a file: `dims` declares them once for all."""

_table: WeakValueDictionary[Hashable, Symbol] = WeakValueDictionary()


class _Interned(type):
    """Equal parts make one object, as long as somebody holds it."""

    def __call__(cls, *parts: Any) -> Any:
        key = (cls, *parts)
        known = _table.get(key)
        return (
            _table.setdefault(key, super().__call__(*parts)) if known is None else known
        )


@total_ordering
@dataclass(frozen=True, slots=True, eq=False, repr=False, weakref_slot=True)
class Symbol(metaclass=_Interned):
    """A number that is known by what it is. `key` is its place in the order, and has its text."""

    owner: Owner
    key: Key = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", (0, self.shown(), *self.identity()))

    def identity(self) -> Key:
        """What tells it apart from symbols of the same text."""
        return type(self).__name__, self.owner

    def shown(self) -> str:
        """The text that it is ordered by: no other symbol of its kind and scope has it."""
        raise NotImplementedError

    @property
    def expr(self) -> Expression:
        """It as an expression in the names of its scope."""
        return Variable(self.shown())

    @property
    def symbols(self) -> frozenset[Symbol]:
        """Only itself."""
        return frozenset((self,))

    @property
    def size(self) -> int:
        """One part."""
        return 1

    @property
    def depth(self) -> int:
        """No floor."""
        return 0

    def __lt__(self, other: Symbol) -> bool:
        return self.key < other.key

    def __reduce__(self) -> tuple[type, tuple[Any, ...]]:
        return type(self), tuple(getattr(self, f.name) for f in fields(self) if f.init)

    def __str__(self) -> str:
        return unparse(self.expr)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self})"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class InputDim(Symbol):
    """A dimension that the types of a scope's inputs name: `T` of `x: float[B, T]`."""

    name: str

    def shown(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ParamNumber(Symbol):
    """The number that a param holds: `width`."""

    name: str

    def shown(self) -> str:
        return self.name

    def item(self, number: int) -> ListItem:
        """The item of a list."""
        return ListItem(self.owner, self.name, (number,))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ListItem(Symbol):
    """The number at a place in a list: `widths[0]`, or `grid[0][1]` where lists are nested."""

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
        """The item of an inner list."""
        return ListItem(self.owner, self.name, (*self.path, number))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class EllipsisDim(Symbol):
    """One of the dimensions behind the `...` of an input.

    `port` is "" where they are those that the first `...` of the scope stands for.
    """

    port: str
    position: int

    def shown(self) -> str:
        own = f"{self.port}[{self.position}]" if self.port else str(self.position)
        return f"...{own}"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class CopyNumber(Symbol):
    """The number of a copy, in a group that is repeated: `i`. Of no owner: that of a copy of the layer at hand."""

    def shown(self) -> str:
        return "i"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Opaque(Symbol):
    """The value of a formula that is no polynomial: `min(width, 8)`, `widths[early + 1]`.

    `counter` is what `i` is in it: the number of a group's copy, or None for that of a layer's.
    """

    formula: Expression
    text: str
    counter: CopyNumber | None

    def shown(self) -> str:
        return self.text if isinstance(self.formula, Indexing) else f"({self.text})"

    def identity(self) -> Key:
        own = () if self.counter is None else self.counter.owner
        return type(self).__name__, self.owner, own

    @property
    def expr(self) -> Expression:
        return self.formula


def symbol_of(
    owner: Owner, formula: Expression, counter: CopyNumber | None = None
) -> ListItem | Opaque:
    """The symbol of a formula: an item of a list by its number, or the formula as a whole."""
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
    """Values of the dimensions of networks, by symbol instead of by name."""
    return {InputDim(NETWORKS, name): value for name, value in values.items()}
