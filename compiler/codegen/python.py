"""Python expressions as immutable data; `statements` has the statements.

Nodes are validated when they are constructed, so that no text of a spec can become
code: an invalid identifier or operator is a ValueError. Arbitrary text is allowed in
string literals, docstrings and comments, where the printer escapes it.
"""

from __future__ import annotations

import math
import re
import typing
from collections.abc import Hashable
from functools import lru_cache
from keyword import iskeyword
from types import EllipsisType, NoneType

from compiler.dataclass import dataclass

BINARY = frozenset(
    ["+", "-", "*", "/", "//", "%", "@", "**", "&", "|", "^", "<<", ">>"]
)
COMPARISONS = frozenset(["==", "!=", "<", "<=", ">", ">=", "in", "is"])
COMPARISONS |= {"not in", "is not"}
UNARY = frozenset(["-", "+", "~", "not"])
LOGIC = frozenset(["and", "or"])

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@lru_cache(maxsize=4096)
def check_name(text: str) -> None:
    """Raise ValueError unless the text is an ASCII identifier."""
    if not _IDENTIFIER.fullmatch(text) or iskeyword(text):
        raise ValueError(f"{text!r} is not a name")


@lru_cache(maxsize=4096)
def check_path(text: str) -> None:
    """Raise ValueError unless the text is a dotted path of ASCII identifiers."""
    for part in text.split("."):
        if not _IDENTIFIER.fullmatch(part) or iskeyword(part):
            raise ValueError(f"{text!r} is not a name")


def check_operator(op: str, known: frozenset[str]) -> None:
    """Raise ValueError unless the operator is one of these."""
    if op not in known:
        raise ValueError(f"{op!r} is not one of the operators allowed here")


@dataclass(frozen=True, slots=True)
class Name:
    """A name or a dotted path: `x`, `F.relu`, `self.heads`."""

    id: str

    def __post_init__(self) -> None:
        check_path(self.id)


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant, or `...`. Floats are finite; `lit` makes `float("inf")` of the others."""

    value: bool | int | float | str | EllipsisType | None

    def __post_init__(self) -> None:
        if isinstance(self.value, float) and not math.isfinite(self.value):
            raise ValueError(f"{self.value} has no literal")


@dataclass(frozen=True, slots=True)
class Attribute:
    """`value.attr`."""

    value: Expr
    attr: str

    def __post_init__(self) -> None:
        check_name(self.attr)


@dataclass(frozen=True, slots=True)
class Call:
    """`func(*args, **kwargs)`; a generator expression as the only argument needs no parentheses."""

    func: Expr
    args: tuple[Expr, ...] = ()
    kwargs: tuple[tuple[str, Expr], ...] = ()

    def __post_init__(self) -> None:
        for key, _ in self.kwargs:
            check_name(key)


@dataclass(frozen=True, slots=True)
class Slice:
    """`start:stop:step`, in a Subscript only."""

    start: Expr | None = None
    stop: Expr | None = None
    step: Expr | None = None


@dataclass(frozen=True, slots=True)
class Subscript:
    """`value[index, ...]`; several indices form a tuple."""

    value: Expr
    index: tuple[Expr | Slice, ...]

    def __post_init__(self) -> None:
        if not self.index:
            raise ValueError("a subscript needs an index")


@dataclass(frozen=True, slots=True)
class TupleExpr:
    """`(a, b)`."""

    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class ListExpr:
    """`[a, b]`."""

    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class DictExpr:
    """`{key: value}`."""

    items: tuple[tuple[Expr, Expr], ...]


@dataclass(frozen=True, slots=True)
class Unary:
    """`-x`, `+x`, `~x` or `not x`."""

    op: str
    operand: Expr

    def __post_init__(self) -> None:
        check_operator(self.op, UNARY)


@dataclass(frozen=True, slots=True)
class Binary:
    """`left op right` with an arithmetic or bitwise operator."""

    op: str
    left: Expr
    right: Expr

    def __post_init__(self) -> None:
        check_operator(self.op, BINARY)


@dataclass(frozen=True, slots=True)
class Compare:
    """`left op right` with one comparison operator; comparisons are not chained."""

    op: str
    left: Expr
    right: Expr

    def __post_init__(self) -> None:
        check_operator(self.op, COMPARISONS)


@dataclass(frozen=True, slots=True)
class Logic:
    """`a and b and c`, or the same with `or`; at least two items."""

    op: str
    items: tuple[Expr, ...]

    def __post_init__(self) -> None:
        check_operator(self.op, LOGIC)
        if len(self.items) < 2:
            raise ValueError(f"{self.op!r} needs at least two operands")


@dataclass(frozen=True, slots=True)
class Conditional:
    """`body if test else orelse`."""

    test: Expr
    body: Expr
    orelse: Expr


@dataclass(frozen=True, slots=True)
class Comprehension:
    """`element for target in iterable if condition`: a generator expression, or a list if `is_list`."""

    element: Expr
    target: Expr
    iterable: Expr
    condition: Expr | None = None
    is_list: bool = False


@dataclass(frozen=True, slots=True)
class Starred:
    """`*value`, in arguments, items or targets."""

    value: Expr


@dataclass(frozen=True, slots=True)
class Lambda:
    """`lambda a, b: body`."""

    args: tuple[str, ...]
    body: Expr

    def __post_init__(self) -> None:
        for name in self.args:
            check_name(name)


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A place for an expression that is known later, by its key; `filled` puts it there. None is left to print."""

    key: Hashable


Expr = (
    Name
    | Placeholder
    | Literal
    | Attribute
    | Call
    | Subscript
    | TupleExpr
    | ListExpr
    | DictExpr
    | Unary
    | Binary
    | Compare
    | Logic
    | Conditional
    | Comprehension
    | Starred
    | Lambda
)

Plain = bool | int | float | str | EllipsisType | None
Value = Expr | Plain | tuple["Value", ...] | list["Value"]


_EXPR = typing.get_args(Expr)
_PLAIN = (bool, int, float, str, EllipsisType, NoneType)


def lit(value: Value) -> Expr:
    """The expression for a plain Python value; an expression is returned unchanged."""
    if isinstance(value, _EXPR):
        return value  # type: ignore[no-any-return]
    if isinstance(value, float) and not math.isfinite(value):
        return Call(Name("float"), (Literal(str(value)),))
    if isinstance(value, _PLAIN):
        return Literal(value)
    if isinstance(value, tuple):
        return TupleExpr(tuple(map(lit, value)))
    assert isinstance(value, list)
    return ListExpr(tuple(map(lit, value)))


def _base(value: Expr | str) -> Expr:
    return Name(value) if isinstance(value, str) else value


def call(func: Expr | str, *args: Value, **kwargs: Value) -> Call:
    """`func(...)`; a str as the function is a name, a str as an argument a string literal."""
    keywords = tuple((key, lit(value)) for key, value in kwargs.items())
    return Call(_base(func), tuple(map(lit, args)), keywords)


def attr(value: Expr | str, name: str) -> Attribute:
    """`value.name`."""
    return Attribute(_base(value), name)


def method(value: Expr | str, name: str, *args: Value, **kwargs: Value) -> Call:
    """`value.name(...)`."""
    return call(attr(value, name), *args, **kwargs)


def subscript(value: Expr | str, *index: Value | Slice) -> Subscript:
    """`value[index, ...]`."""
    parts = (i if isinstance(i, Slice) else lit(i) for i in index)
    return Subscript(_base(value), tuple(parts))
