"""Python as data: the expressions of generated code (`statements` has the rest).

Every node is immutable. Whatever could carry text out of its place is checked where the
node is made: a name that is no identifier, or an operator that Python lacks, is a
ValueError. Text is free in three places, and the printer escapes it there: string
literals, docstrings and comments.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache
from keyword import iskeyword
from types import EllipsisType

BINARY = frozenset(
    ["+", "-", "*", "/", "//", "%", "@", "**", "&", "|", "^", "<<", ">>"]
)
COMPARISONS = frozenset(["==", "!=", "<", "<=", ">", ">=", "in", "is"])
COMPARISONS |= {"not in", "is not"}
UNARY = frozenset(["-", "+", "~", "not"])
LOGIC = frozenset(["and", "or"])

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@lru_cache(maxsize=4096)
def check_name(text: str, dotted: bool = False) -> None:
    """Raise ValueError unless the text is an ASCII identifier, or a dotted path."""
    for part in text.split(".") if dotted else (text,):
        if not _IDENTIFIER.fullmatch(part) or iskeyword(part):
            raise ValueError(f"{text!r} is not a name")


def check_operator(op: str, known: frozenset[str]) -> None:
    """Raise ValueError unless the operator is a known one."""
    if op not in known:
        raise ValueError(f"{op!r} is not an operator here")


@dataclass(frozen=True, slots=True)
class Name:
    """A name, or a dotted path of them: `x`, `F.relu`, `self.heads`."""

    id: str

    def __post_init__(self) -> None:
        check_name(self.id, dotted=True)


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant, `...` too. Floats are finite: `lit` makes the others calls."""

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
    """`func(*args, **kwargs)`; a generator that is the only argument stands bare."""

    func: Expr
    args: tuple[Expr, ...] = ()
    kwargs: tuple[tuple[str, Expr], ...] = ()

    def __post_init__(self) -> None:
        for key, _ in self.kwargs:
            check_name(key)


@dataclass(frozen=True, slots=True)
class Slice:
    """`start:stop:step`; stands in a Subscript only."""

    start: Expr | None = None
    stop: Expr | None = None
    step: Expr | None = None


@dataclass(frozen=True, slots=True)
class Subscript:
    """`value[index, ...]`; one index stands alone, several are a tuple."""

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
    """`left op right` for an arithmetic or bitwise operator."""

    op: str
    left: Expr
    right: Expr

    def __post_init__(self) -> None:
        check_operator(self.op, BINARY)


@dataclass(frozen=True, slots=True)
class Compare:
    """`left op right` for one comparison; it never chains."""

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
            raise ValueError(f"{self.op!r} needs two operands")


@dataclass(frozen=True, slots=True)
class Conditional:
    """`body if test else orelse`."""

    test: Expr
    body: Expr
    orelse: Expr


@dataclass(frozen=True, slots=True)
class Comprehension:
    """`element for target in iterable if condition`: a generator, or a list in `[]`."""

    element: Expr
    target: Expr
    iterable: Expr
    condition: Expr | None = None
    is_list: bool = False


@dataclass(frozen=True, slots=True)
class Starred:
    """`*value`, among arguments, items or targets."""

    value: Expr


@dataclass(frozen=True, slots=True)
class Lambda:
    """`lambda a, b: body`."""

    args: tuple[str, ...]
    body: Expr

    def __post_init__(self) -> None:
        for name in self.args:
            check_name(name)


Expr = (
    Name
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


def lit(value: Value) -> Expr:
    """The expression for a plain Python value; an expression is returned as it is."""
    if isinstance(value, float) and not math.isfinite(value):
        return Call(Name("float"), (Literal(str(value)),))
    if value is None or isinstance(value, bool | int | float | str | EllipsisType):
        return Literal(value)
    if isinstance(value, tuple):
        return TupleExpr(tuple(map(lit, value)))
    if isinstance(value, list):
        return ListExpr(tuple(map(lit, value)))
    return value


def _base(value: Expr | str) -> Expr:
    return Name(value) if isinstance(value, str) else value


def call(func: Expr | str, *args: Value, **kwargs: Value) -> Call:
    """`func(...)`; a function given as text is a name, an argument as text a string."""
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
