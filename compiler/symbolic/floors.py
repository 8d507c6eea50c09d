"""The normal form of a floor division: what can leave the floor does.

Plain functions over the terms of polynomials. Each takes `a // b` apart into
`whole + rest // divisor`, where nothing in `rest // divisor` is left to take out.
"""

import math
from functools import reduce

from compiler.symbolic.terms import (
    Coefficients,
    Floor,
    Monomial,
    Term,
    collect,
    divide_by_term,
    shared,
    without,
)


def by_number(a: tuple[Term, ...], n: int) -> tuple[Coefficients, Coefficients, int]:
    """The parts of `a // n` for a positive number; no `rest` where it comes out even.

    Multiples of n leave the floor, common factors cancel, a floor inside dissolves.
    """
    whole, rest = Coefficients(), dict(a)
    while True:
        collect(whole, ((monomial, c // n) for monomial, c in rest.items()), 1)
        rest = {monomial: c % n for monomial, c in rest.items() if c % n}
        common = math.gcd(n, *(c for monomial, c in rest.items() if monomial))
        if common == n:
            return whole, {}, 1
        rest = {monomial: c // common for monomial, c in rest.items()}
        n //= common
        inside = [floor for floor in map(_floor_alone, rest.items()) if floor]
        if len(inside) != 1:
            return whole, rest, n
        n *= _dissolve(inside[0], rest)


def _floor_alone(term: Term) -> Floor | None:
    """The floor by a number that is the whole of a term."""
    monomial, factor = term
    if factor != 1 or len(monomial) != 1 or not isinstance(monomial[0], Floor):
        return None
    return None if monomial[0].divisor.constant is None else monomial[0]


def _dissolve(floor: Floor, rest: Coefficients) -> int:
    """Let a floor's numerator stand for it in `rest`; what the divisor grows by.

    floor((floor(a / m) + c) / n) = floor((a + c m) / (m n))
    """
    divisor = floor.divisor.constant or 1
    del rest[floor,]
    rest.update({monomial: c * divisor for monomial, c in rest.items()})
    collect(rest, floor.numerator.terms, 1)
    return divisor


def by_symbols(
    a: tuple[Term, ...], b: tuple[Term, ...]
) -> tuple[Coefficients, Coefficients, Coefficients]:
    """The parts of `a // b` for a divisor with symbols and a positive leading term.

    Multiples of a divisor of one term leave the floor, common factors cancel.
    """
    whole, rest = _multiples(a, b[0]) if len(b) == 1 else (Coefficients(), dict(a))
    common = _common((*rest.items(), *b))
    numerator = divide_by_term(tuple(rest.items()), common)
    divisor = divide_by_term(b, common)
    assert numerator is not None and divisor is not None, "a common factor divides"
    return whole, numerator, divisor


def _multiples(a: tuple[Term, ...], b: Term) -> tuple[Coefficients, Coefficients]:
    whole, rest = Coefficients(), Coefficients()
    for monomial, factor in a:
        quotient = without(monomial, b[0])
        if quotient is None:
            rest[monomial] = factor
            continue
        whole[quotient] = factor // b[1]
        if factor % b[1]:
            rest[monomial] = factor % b[1]
    return whole, rest


def _common(terms: tuple[Term, ...]) -> Term:
    monomial: Monomial = reduce(shared, (monomial for monomial, _ in terms))
    return monomial, math.gcd(*(factor for _, factor in terms))
