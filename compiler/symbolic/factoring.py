"""Factors polynomials, so that `(H // 4 - 2) * (W // 4 - 2)` is printed as a product."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import reduce
from itertools import product

from compiler.symbolic.terms import A, Monomial, Term, joined, shared, without

MAX_TERMS = 6

Sum = tuple[Term[A], ...]


def factored(terms: Sum[A]) -> list[Sum[A]] | None:
    """The factors of a polynomial that is a product of sums of one atom each, or the square of a sum.

    Factors that are numbers or atoms are first. None if there is no such product, or if
    it is not simpler than the sum.
    """
    if not 2 <= len(terms) <= MAX_TERMS:
        return None
    common = reduce(shared, (monomial for monomial, _ in terms))
    content = math.gcd(*(factor for _, factor in terms))
    rest = {(without(m, common) or ()): c // content for m, c in terms}
    sums = _of_one_atom(rest) or _of_two_atoms(rest) or _square(rest)
    if not sums:
        return None
    outside: list[Sum[A]] = [(((), content),)] if content != 1 else []
    return [*outside, *((((atom,), 1),) for atom in common), *sums]


def _of_one_atom(rest: dict[Monomial[A], int]) -> list[Sum[A]] | None:
    """`a² - 4a + 4` is `(a - 2)(a - 2)`."""
    atoms = {atom for monomial in rest for atom in monomial}
    degree = max(map(len, rest))
    if len(atoms) != 1 or degree < 2 or () not in rest:
        return None
    (atom,) = atoms
    coefficients = [rest.get((atom,) * power, 0) for power in range(degree, -1, -1)]
    roots = list(_roots(coefficients))
    if coefficients[0] != 1 or len(roots) != degree:
        return None
    return [_linear(atom, 1, -root) for root in roots]


def _roots(coefficients: list[int]) -> Iterator[int]:
    """The integer roots of a polynomial, with their multiplicities."""
    while len(coefficients) > 1:
        root = next(
            (r for r in _candidates(coefficients[-1]) if not _at(coefficients, r)), None
        )
        if root is None:
            return
        yield root
        reduced = [coefficients[0]]
        for coefficient in coefficients[1:-1]:
            reduced.append(coefficient + root * reduced[-1])
        coefficients = reduced


def _candidates(constant: int) -> Iterator[int]:
    for divisor in range(1, min(abs(constant), 1_000) + 1):
        if constant % divisor == 0:
            yield from (divisor, -divisor)


def _at(coefficients: list[int], value: int) -> int:
    return reduce(lambda total, coefficient: total * value + coefficient, coefficients)


def _of_two_atoms(rest: dict[Monomial[A], int]) -> list[Sum[A]] | None:
    """`ab - 2a - 2b + 4` is `(a - 2)(b - 2)`."""
    pair = max(rest, key=len)
    if len(rest) != 4 or len(pair) != 2 or rest[pair] != 1 or () not in rest:
        return None
    a, b = pair
    of_a, of_b = rest.get((a,)), rest.get((b,))
    if a == b or of_a is None or of_b is None or of_a * of_b != rest[()]:
        return None
    return [_linear(a, 1, of_b), _linear(b, 1, of_a)]


def _square(rest: dict[Monomial[A], int]) -> list[Sum[A]] | None:
    """`a² + 2ab + b² - 4a - 4b + 4` is `(a + b - 2)(a + b - 2)`."""
    roots: dict[Monomial[A], int] = {}
    for monomial, factor in rest.items():
        half = monomial[: len(monomial) // 2]
        if factor > 0 and monomial == half + half:
            roots[half] = math.isqrt(factor)
    if len(roots) < 3:
        return None
    first = next(iter(roots))
    for other in [one for one in roots if one != first]:
        if rest.get(joined(first, other), 0) < 0:
            roots[other] = -roots[other]
    squared: dict[Monomial[A], int] = {}
    for (a, x), (b, y) in product(roots.items(), roots.items()):
        squared[joined(a, b)] = squared.get(joined(a, b), 0) + x * y
    found = tuple(roots.items())
    return [found, found] if squared == rest else None


def _linear(atom: A, factor: int, constant: int) -> Sum[A]:
    return ((atom,), factor), ((), constant)
