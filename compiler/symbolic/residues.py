"""The periods of symbolic sizes, which make equality with floor divisions decidable.

If a symbol `s` is `M * q + r`, for a period `M` of `s` and a fixed `r`, then every
floor division by a number is exact, and the size is a polynomial in `q`. A polynomial
of degree `d` is zero everywhere if it is zero at `d + 1` points.
"""

import math
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache

from compiler.dataclass import dataclass
from compiler.symbolic.dims import (
    Atom,
    Coefficients,
    Dim,
    FloorDivision,
    Monomial,
    polynomial,
)
from compiler.symbolic.symbols import NETWORKS, Symbol
from compiler.symbolic.terms import Key


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class UnknownFloor(Symbol):
    """The unknown value of a floor division by a symbol."""

    floor: FloorDivision

    def shown(self) -> str:
        return str(polynomial({(self.floor,): 1}))

    def identity(self) -> Key:
        return type(self).__name__, self.floor.key


def periods(dim: Dim) -> dict[Symbol, int]:
    """The period of each symbol; 1 if it is in no floor division by a number."""
    found = dict.fromkeys(dim.symbols, 1)
    for floor in _floors(dim):
        for symbol, period in _floor_periods(floor).items():
            found[symbol] = math.lcm(found[symbol], period)
    return found


def _floors(dim: Dim) -> set[FloorDivision]:
    atoms = (atom for monomial, _ in dim.terms for atom in monomial)
    return {atom for atom in atoms if isinstance(atom, FloorDivision)}


@lru_cache(maxsize=4_096)
def _floor_periods(floor: FloorDivision) -> Mapping[Symbol, int]:
    """The periods of the numerator, times the factors that make every step a multiple of the divisor."""
    inside, n = periods(floor.numerator), floor.divisor.constant or 1
    found: dict[Symbol, int] = {}
    for symbol, period in inside.items():
        steps = [
            factor * (period // _period(monomial, symbol))
            for monomial, factor in floor.numerator.terms
            if any(symbol in atom.symbols for atom in monomial)
        ]
        found[symbol] = period * n // math.gcd(n, *steps)
    return found


def _period(monomial: Monomial, symbol: Symbol) -> int:
    floors = (atom for atom in monomial if isinstance(atom, FloorDivision))
    return math.lcm(*(_floor_periods(floor).get(symbol, 1) for floor in floors))


def degrees(dim: Dim) -> Counter[Symbol]:
    """The degree of each symbol, with floor divisions by numbers counted as their numerators."""
    found: Counter[Symbol] = Counter()
    for monomial, _ in dim.terms:
        powers: Counter[Symbol] = Counter()
        for atom in monomial:
            powers.update(_atom_degrees(atom))
        found |= powers
    return found


def _atom_degrees(atom: Atom) -> Counter[Symbol]:
    if isinstance(atom, Symbol):
        return Counter((atom,))
    return degrees(atom.numerator)


def without_free(dim: Dim, endless: frozenset[Symbol]) -> list[Dim]:
    """Sizes with fewer symbols that are all zero everywhere if and only if `dim` is.

    A symbol of `endless` has infinitely many values. If it is in no floor division, the
    coefficient of each of its powers must be zero.
    """
    floors = frozenset[Symbol]().union(*(floor.symbols for floor in _floors(dim)))
    free = endless - floors
    groups: dict[Monomial, Coefficients] = {}
    for monomial, factor in dim.terms:
        power = tuple(atom for atom in monomial if atom in free)
        rest = tuple(atom for atom in monomial if atom not in free)
        groups.setdefault(power, {})[rest] = factor
    return list(map(polynomial, groups.values()))


def divisor_symbols(dim: Dim) -> frozenset[Symbol]:
    """The symbols in the divisors of floor divisions."""
    found = frozenset[Symbol]()
    for floor in _floors(dim):
        inside = divisor_symbols(floor.numerator) | divisor_symbols(floor.divisor)
        found |= inside | floor.divisor.symbols
    return found


def opaque(dim: Dim) -> Dim:
    """The size with every floor division by a symbol replaced by a new symbol.

    A statement that holds for all values of the new symbols holds for the size.
    """
    total = Dim.of(0)
    for monomial, factor in dim.terms:
        product = Dim.of(factor)
        for atom in monomial:
            product *= _opaque_atom(atom)
        total += product
    return total


def _opaque_atom(atom: Atom) -> Dim:
    if isinstance(atom, Symbol):
        return Dim.symbol(atom)
    if atom.divisor.constant is not None:
        return opaque(atom.numerator) // atom.divisor
    return Dim.symbol(UnknownFloor(NETWORKS, atom))
