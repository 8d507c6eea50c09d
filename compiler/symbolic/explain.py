"""Conditions on symbols under which a failed requirement holds, and how to declare them: help texts."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from functools import partial

from compiler.dataclass import dataclass
from compiler.symbolic.dims import Dim, DimOverflow, exact_div
from compiler.symbolic.domain import Domain
from compiler.symbolic.residues import divisor_symbols, periods
from compiler.symbolic.symbols import Symbol

MAX_MODULUS = 2**24
MAX_CLASSES = 512
MAX_ROOT = 1_000
MAX_BOUND = 2**40
MAX_SHOWN = 6


@dataclass(frozen=True, slots=True)
class Conditions:
    """Conditions under which a requirement holds; conditions of several errors can be merged.

    `multiples` and `least` can be declared under `dims`; `others` are only reported.
    """

    multiples: Mapping[Symbol, int] = field(default_factory=dict)
    least: Mapping[Symbol, int] = field(default_factory=dict)
    others: tuple[str, ...] = ()
    never: str = ""
    """The symbols, if the requirement holds for none of their values."""

    def merged(self, other: Conditions) -> Conditions:
        """The conditions for both requirements; none if one of the two has none."""
        if not (self.known and other.known):
            return Conditions(never=self.never or other.never)
        multiples, least = dict(self.multiples), dict(self.least)
        for symbol, number in other.multiples.items():
            multiples[symbol] = math.lcm(multiples.get(symbol, 1), number)
        for symbol, number in other.least.items():
            least[symbol] = max(least.get(symbol, 1), number)
        others = tuple(dict.fromkeys((*self.others, *other.others)))
        return Conditions(multiples, least, others)

    @property
    def known(self) -> bool:
        """Whether there is a condition."""
        return bool(self.multiples or self.least or self.others)

    def implies(self, other: Conditions) -> bool:
        """Whether these lower bounds imply those of the other."""
        return not other.others and all(
            self.least.get(symbol, 1) >= bound for symbol, bound in other.least.items()
        )

    @property
    def help(self) -> str:
        """`holds when H is a multiple of 16; if it always is, declare dims: ...`."""
        if self.never:
            return f"they agree for no {self.never}"
        told = [f"{n} is a multiple of {k}" for n, k in sorted(self.multiples.items())]
        told += [f"{n} >= {k}" for n, k in sorted(self.least.items())]
        told += self.others
        if not told:
            return ""
        return f"holds when {' and '.join(told)}{self._declared()}"

    def _declared(self) -> str:
        bounds: dict[Symbol, list[str]] = {}
        for symbol, number in sorted(self.multiples.items()):
            bounds.setdefault(symbol, []).append(f"multiple_of: {number}")
        for symbol, number in sorted(self.least.items()):
            bounds.setdefault(symbol, []).append(f"min: {number}")
        if not bounds or self.others:
            return ""
        shown = ", ".join(f"{n}: {{{', '.join(b)}}}" for n, b in bounds.items())
        return f"; if that is always so, declare dims: {{{shown}}}"


def when_equal(domain: Domain, left: Dim, right: Dim) -> Conditions:
    """The conditions under which two sizes, in the symbols of the inputs, are equal."""
    if left.constant is not None and right.constant is not None:
        return Conditions()
    hint = explain_equal(domain, left, right)
    if hint.kind == "multiple":
        return Conditions(multiples=hint.multiple)
    if hint.kind == "never":
        return Conditions(
            never=", ".join(map(str, sorted(left.symbols | right.symbols)))
        )
    return Conditions(others=(hint.text,)) if hint.text else Conditions()


def when_at_least(domain: Domain, size: Dim, least: int) -> Conditions:
    """The lower bound on one symbol from which a size is at least a number."""
    return Conditions(least=least_sizes(domain, size, least))


@dataclass(frozen=True, slots=True)
class EqualityHint:
    """A condition under which two sizes are equal.

    `kind` is `always`, `never`, `multiple`, `residues`, `values` or `unknown`; `text`
    is the condition, for example `H is a multiple of 16`; `multiple` has the numbers
    to declare if the kind is `multiple`.
    """

    kind: str
    text: str | None = None
    multiple: dict[Symbol, int] = field(default_factory=dict)


def explain_equal(domain: Domain, a: Dim | int, b: Dim | int) -> EqualityHint:
    """The simplest condition that makes two sizes equal; multiples are tried first.

    The condition is sufficient, and for the kind `values` also necessary.
    """
    if not domain.may_explain():
        return EqualityHint("unknown")
    try:
        difference = Dim.of(a) - b
        if domain.equal(difference, 0):
            return EqualityHint("always")
        return next(_hints(domain, difference), EqualityHint("unknown"))
    except DimOverflow:
        return EqualityHint("unknown")


def _hints(domain: Domain, difference: Dim) -> Iterator[EqualityHint]:
    for explain in (_never, _multiples, _one_symbol, _relation):
        hint = explain(domain, difference)
        if hint is not None:
            yield hint


def _never(domain: Domain, difference: Dim) -> EqualityHint | None:
    """No solution: the bounds exclude zero, or all terms but the constant share a factor."""
    low, high = domain.lower(difference), domain.upper(difference)
    terms = dict(difference.terms)
    constant = terms.pop((), 0)
    if (low or 0) > 0 or (high or 0) < 0 or not terms:
        return EqualityHint("never")
    uneven = constant % math.gcd(*terms.values()) != 0
    return EqualityHint("never") if uneven else None


def _multiples(domain: Domain, difference: Dim) -> EqualityHint | None:
    """The smallest numbers of which the symbols have to be multiples."""
    known = {
        symbol: domain.constraint(symbol).multiple_of for symbol in difference.symbols
    }
    found = {
        symbol: math.lcm(n, known[symbol]) for symbol, n in periods(difference).items()
    }
    if not _suffices(domain, difference, found):
        return None
    for symbol in sorted(found):
        for factor in _divisors(found[symbol] // known[symbol]):
            attempt = {**found, symbol: factor * known[symbol]}
            if _suffices(domain, difference, attempt):
                found = attempt
                break
    wanted = {symbol: n for symbol, n in sorted(found.items()) if n != known[symbol]}
    text = " and ".join(
        f"{symbol} is a multiple of {n}" for symbol, n in wanted.items()
    )
    return EqualityHint("multiple", text, wanted)


def _suffices(domain: Domain, difference: Dim, multiples: dict[Symbol, int]) -> bool:
    for symbol, n in multiples.items():
        domain = domain.narrowed(symbol, multiple_of=n)
        if domain.constraint(symbol).count == 0:
            return False
    return domain.equal(difference, 0)


def _divisors(n: int) -> list[int]:
    """The divisors in ascending order; for a huge number only itself."""
    if n > MAX_MODULUS:
        return [n]
    small = [k for k in range(1, math.isqrt(n) + 1) if n % k == 0]
    return sorted({*small, *(n // k for k in small)})


def _one_symbol(domain: Domain, difference: Dim) -> EqualityHint | None:
    """The residues, or else the values, of the only symbol of a size."""
    if len(difference.symbols) != 1 or divisor_symbols(difference):
        return None
    (symbol,) = difference.symbols
    constraint = domain.constraint(symbol)
    period = constraint.cycle(periods(difference)[symbol])
    if constraint.count is not None and constraint.count <= MAX_CLASSES:
        few = constraint.values(MAX_CLASSES)
        return _values(symbol, [v for v in few if not difference.evaluate({symbol: v})])
    if period > MAX_CLASSES:
        return None
    stride = period * constraint.multiple_of
    classes = {
        start: difference.substitute({symbol: start + stride * Dim.symbol(symbol)})
        for start in constraint.values(period)
    }
    good = {start for start, rest in classes.items() if rest == 0}
    if good:
        return _residues(symbol, good, classes.keys() - good, stride)
    roots = {start: _roots(rest) for start, rest in classes.items()}
    if None in roots.values():
        return None
    found = (start + n * stride for start, ns in roots.items() for n in ns or ())
    return _values(symbol, [v for v in sorted(found) if v <= (constraint.max or v)])


def _residues(
    symbol: Symbol, good: set[int], bad: set[int], modulus: int
) -> EqualityHint | None:
    """The residues that are solutions, modulo the smallest number that separates them from the others."""
    for n in _divisors(modulus):
        rests = sorted({value % n for value in good})
        if not {value % n for value in bad} & set(rests):
            break
    if len(rests) > MAX_SHOWN:
        return None
    odd = (n, rests) == (2, [1])
    text = f"{symbol} is odd" if odd else f"{symbol} % {n} is {_any(rests)}"
    return EqualityHint("residues", text)


def _any(numbers: list[int]) -> str:
    *first, last = map(str, numbers)
    return f"{', '.join(first)} or {last}" if first else last


def _roots(dim: Dim) -> list[int] | None:
    """The non-negative roots of a polynomial in one symbol; None if the bound of the search is too large."""
    coefficients = {len(monomial): factor for monomial, factor in dim.terms}
    degree = max(coefficients)
    if degree == 0:
        return []
    if degree == 1:
        root, rest = divmod(-coefficients.get(0, 0), coefficients[1])
        return [root] if root >= 0 and rest == 0 else []
    # Cauchy's bound on the roots.
    last = 1 + max(map(abs, coefficients.values())) // abs(coefficients[degree])
    if last > MAX_ROOT:
        return None
    (symbol,) = dim.symbols
    return [n for n in range(last + 1) if dim.evaluate({symbol: n}) == 0]


def _values(symbol: Symbol, values: list[int]) -> EqualityHint:
    if not values:
        return EqualityHint("never")
    if len(values) == 1:
        return EqualityHint("values", f"{symbol} == {values[0]}")
    if len(values) <= MAX_SHOWN:
        return EqualityHint("values", f"{symbol} is {_any(values)}")
    if values[-1] - values[0] == len(values) - 1:
        return EqualityHint("values", f"{symbol} is from {values[0]} to {values[-1]}")
    shown = ", ".join(map(str, values[:MAX_SHOWN]))
    more = f"one of {len(values) - MAX_SHOWN} more"
    return EqualityHint("values", f"{symbol} is {shown} or {more}")


def _relation(domain: Domain, difference: Dim) -> EqualityHint | None:
    """An equation for one symbol in terms of the others."""
    common = math.gcd(*(factor for _, factor in difference.terms))
    reduced = exact_div(difference, common) or difference
    for symbol in sorted(reduced.symbols):
        size = Dim.symbol(symbol)
        for other in (size - reduced, size + reduced):
            if symbol not in other.symbols:
                return EqualityHint("values", f"{symbol} == {other}")
    return None


def least_sizes(domain: Domain, dim: Dim | int, n: int) -> dict[Symbol, int]:
    """The smallest bound on one symbol that makes a size `n` or more; empty if there is none."""
    if not domain.may_explain():
        return {}
    size = Dim.of(dim)
    for symbol in sorted(size.symbols):
        first = domain.constraint(symbol).first
        bound = _smallest(first, partial(_holds, domain, size, n, symbol))
        if bound is not None:
            return {symbol: bound}
    return {}


def _holds(domain: Domain, dim: Dim, n: int, symbol: Symbol, least: int) -> bool:
    narrowed = domain.narrowed(symbol, least=least)
    return narrowed.constraint(symbol).count != 0 and narrowed.at_least(dim, n)


def _smallest(first: int, holds: Callable[[int], bool]) -> int | None:
    """The smallest number above `first` for which a monotone condition holds, by doubling; None beyond the limit."""
    gap = 1
    while not holds(first + gap):
        gap *= 2
        if gap > MAX_BOUND:
            return None
    return first + bisect_left(range(gap), True, key=lambda n: holds(first + n))
