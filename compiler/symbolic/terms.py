"""Polynomials as sums of monomials, and monomials as products of atoms.

Functions over tuples that need only the sort key of an atom; `dims` defines the atoms and
the normal form.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Protocol, TypeVar

Key = tuple[object, ...]


class Ordered(Protocol):
    """A factor of a monomial."""

    @property
    def key(self) -> Key:
        """The sort key."""


A = TypeVar("A", bound=Ordered)
Monomial = tuple[A, ...]
Term = tuple[Monomial[A], int]
Coefficients = dict[Monomial[A], int]


def order(term: Term[A]) -> Key:
    """Sort key: higher degrees first, then by atoms; a monomial order, as long division needs."""
    monomial = term[0]
    return -len(monomial), tuple(atom.key for atom in monomial)


def joined(a: Monomial[A], b: Monomial[A]) -> Monomial[A]:
    """The product of two monomials."""
    return tuple(sorted(a + b, key=_key)) if a and b else a or b


def without(monomial: Monomial[A], divisor: Monomial[A]) -> Monomial[A] | None:
    """The quotient of two monomials, or None if the division is not exact."""
    left = list(monomial)
    for atom in divisor:
        if atom not in left:
            return None
        left.remove(atom)
    return tuple(left)


def shared(a: Monomial[A], b: Monomial[A]) -> Monomial[A]:
    """The greatest common divisor of two monomials."""
    return tuple(sorted((Counter(a) & Counter(b)).elements(), key=_key))


def _key(atom: Ordered) -> Key:
    return atom.key


def collect(total: Coefficients[A], terms: Iterable[Term[A]], factor: int) -> None:
    """Add `factor` times `terms` to `total`, in place."""
    for monomial, coefficient in terms:
        total[monomial] = total.get(monomial, 0) + factor * coefficient


def divide(
    a: tuple[Term[A], ...], b: tuple[Term[A], ...], work: int
) -> Coefficients[A] | None:
    """The exact quotient of two sorted polynomials; None if there is none.

    None, too, if the division takes more than about `work` steps.
    """
    leading, *others = b
    if not others:
        return divide_by_term(a, leading)
    rest = dict(a)
    quotient: Coefficients[A] = {}
    for _ in range(work // (len(a) * len(others) + 1)):
        if not rest:
            return quotient
        top = min(rest.items(), key=order)
        ratio = _ratio(top, leading)
        if ratio is None:
            return None
        quotient[ratio[0]] = ratio[1]
        del rest[top[0]]
        collect(rest, ((joined(ratio[0], m), c) for m, c in others), -ratio[1])
        rest = {m: c for m, c in rest.items() if c}
    return None


def divide_by_term(a: tuple[Term[A], ...], b: Term[A]) -> Coefficients[A] | None:
    """The exact quotient of a polynomial by one term; None if there is none."""
    ratios = [_ratio(term, b) for term in a]
    known = [ratio for ratio in ratios if ratio is not None]
    return dict(known) if len(known) == len(ratios) else None


def _ratio(a: Term[A], b: Term[A]) -> Term[A] | None:
    monomial, (factor, remainder) = without(a[0], b[0]), divmod(a[1], b[1])
    return None if remainder or monomial is None else (monomial, factor)
