"""Whether what is known of the first copies holds for all that may follow, of conditions over the number of a copy."""

from __future__ import annotations

from collections.abc import Iterable
from math import lcm

from compiler.codegen.python import (
    Binary,
    Compare,
    Expr,
    Literal,
    Logic,
    Placeholder,
    TupleExpr,
    Unary,
)
from compiler.dataclass import dataclass
from compiler.ir.module import ScopeName
from compiler.ir.typed import Instance
from compiler.lower.evaluate_code import Unknown, value_of
from compiler.symbolic.symbol_table import COUNTER

LONGEST_PERIOD = 10_000
"""Copies after which a condition must have repeated itself, to be looked into."""


@dataclass(frozen=True)
class _Repeating:
    """What has the same value in copies `i` and `i + period`, from copy `start` on."""

    start: int
    period: int


@dataclass(frozen=True)
class _Growing:
    """The number `factor * i + offset` of copy `i`."""

    factor: int
    offset: int


class _Unproved(Exception):
    """It is not known how a condition goes on."""


def repeats_after(codes: Iterable[Expr], use: Instance) -> int | None:
    """How many copies have every outcome of conditions together that any number of copies has; None if not known.

    Conditions may count in remainders (`i % 8 == 4`, `i // 2 % 3`), and compare with numbers (`i < 4`).
    """
    try:
        found = _together(tuple(codes), use)
    except _Unproved:
        return None
    copies = found.start + found.period
    return copies if copies <= LONGEST_PERIOD else None


def _course(code: Expr, use: Instance) -> _Repeating | _Growing:
    """How a number or an outcome goes on from copy to copy."""
    match code:
        case Placeholder(ScopeName(name)) if name == COUNTER:
            return _Growing(1, 0)
        case Literal() | Placeholder():
            return _Repeating(0, 1)
        case Binary("%", left, right):
            return _remainder(left, _constant(right, use), use)
        case Binary("+" | "-" | "*" as op, left, right):
            return _sum(op, left, right, use)
        case Compare(_, left, right):
            return _comparison(left, right, use)
        case Unary(_, operand):
            return _together((operand,), use)
        case Logic(_, items) | TupleExpr(items):
            return _together(items, use)
    raise _Unproved


def _together(parts: tuple[Expr, ...], use: Instance) -> _Repeating:
    """What depends on parts that each repeat themselves."""
    start, period = 0, 1
    for part in parts:
        found = _course(part, use)
        if isinstance(found, _Growing):
            raise _Unproved
        start, period = max(start, found.start), lcm(period, found.period)
    return _Repeating(start, period)


def _remainder(left: Expr, divisor: int, use: Instance) -> _Repeating:
    if divisor < 1:
        raise _Unproved
    if isinstance(left, Binary) and left.op == "//":
        steps = _constant(left.right, use)
        if steps < 1 or not isinstance(_course(left.left, use), _Growing):
            raise _Unproved
        return _Repeating(0, divisor * steps)
    found = _course(left, use)
    return _Repeating(0, divisor) if isinstance(found, _Growing) else found


def _sum(op: str, left: Expr, right: Expr, use: Instance) -> _Repeating | _Growing:
    one, other = _course(left, use), _course(right, use)
    if isinstance(one, _Repeating) and isinstance(other, _Repeating):
        return _together((left, right), use)
    if isinstance(one, _Growing) and isinstance(other, _Repeating):
        number = _constant(right, use)
        if op == "*":
            return _scaled(one, number)
        return _Growing(one.factor, one.offset + (number if op == "+" else -number))
    if isinstance(one, _Repeating) and isinstance(other, _Growing):
        number = _constant(left, use)
        if op == "*":
            return _scaled(other, number)
        if op == "+":
            return _Growing(other.factor, other.offset + number)
    raise _Unproved


def _scaled(growing: _Growing, number: int) -> _Growing:
    if number < 1:
        raise _Unproved
    return _Growing(growing.factor * number, growing.offset * number)


def _comparison(left: Expr, right: Expr, use: Instance) -> _Repeating:
    """What grows is past a number for good, and past all of several."""
    one, other = _course(left, use), _course(right, use)
    if isinstance(one, _Repeating) and isinstance(other, _Repeating):
        return _together((left, right), use)
    if isinstance(one, _Growing) and isinstance(other, _Growing):
        raise _Unproved
    growing, fixed = (one, right) if isinstance(one, _Growing) else (other, left)
    assert isinstance(growing, _Growing)
    parts = fixed.items if isinstance(fixed, TupleExpr) else (fixed,)
    most = max((abs(_constant(part, use)) for part in parts), default=0)
    return _Repeating(most + abs(growing.offset) + 1, 1)


def _constant(code: Expr, use: Instance) -> int:
    """The whole number that code comes to in every copy."""
    if _course(code, use) != _Repeating(0, 1):
        raise _Unproved
    try:
        value = value_of(code, use)
    except Unknown:
        raise _Unproved from None
    if not isinstance(value, int):
        raise _Unproved
    return value
