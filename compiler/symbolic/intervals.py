"""Interval arithmetic over symbolic sizes; the only floats are the infinities."""

import math
from collections.abc import Mapping

from compiler.symbolic.dims import Atom, Dim
from compiler.symbolic.symbols import Symbol

Bound = int | float
Interval = tuple[Bound, Bound]


def interval(dim: Dim, box: Mapping[Symbol, Interval]) -> Interval:
    """Bounds of a size, given an interval for each symbol.

    They are always valid, and exact if every symbol occurs once.
    """
    low: Bound = 0
    high: Bound = 0
    for monomial, factor in dim.terms:
        term: Interval = (factor, factor)
        for atom in monomial:
            term = _product(term, _atom(atom, box))
        low, high = _sum(low, term[0]), _sum(high, term[1])
    return low, high


def hull(a: Interval, b: Interval) -> Interval:
    """The smallest interval that contains both."""
    return min(a[0], b[0]), max(a[1], b[1])


def _atom(atom: Atom, box: Mapping[Symbol, Interval]) -> Interval:
    if isinstance(atom, Symbol):
        return box[atom]
    low, high = interval(atom.numerator, box)
    divisors = interval(atom.divisor, box)
    if divisors[0] <= 0:
        return -math.inf, math.inf
    # For a positive divisor the quotient is monotone in numerator and divisor.
    return (
        min(_quotient(low, divisor) for divisor in divisors),
        max(_quotient(high, divisor) for divisor in divisors),
    )


def _sum(a: Bound, b: Bound) -> Bound:
    return a if isinstance(a, float) else b if isinstance(b, float) else a + b


def _product(a: Interval, b: Interval) -> Interval:
    corners = [_times(x, y) for x in a for y in b]
    return min(corners), max(corners)


def _times(a: Bound, b: Bound) -> Bound:
    if isinstance(a, int) and isinstance(b, int):
        return a * b
    sign = ((a > 0) - (a < 0)) * ((b > 0) - (b < 0))
    return math.copysign(math.inf, sign) if sign else 0


def _quotient(a: Bound, b: Bound) -> Bound:
    if isinstance(a, float):
        return a
    return a // b if isinstance(b, int) else -1 if a < 0 else 0
