"""Sizes as people write them beside arrows: `H/32` in place of `(H + 31) // 32`."""

from __future__ import annotations

from fractions import Fraction

from compiler.symbolic.dims import Dim, FloorDivision, Term, polynomial
from compiler.symbolic.symbols import InputDim

_LONG = (
    12  # characters of a sum; of a longer one, only what depends on an input is written
)
_MAX_OFF = (
    2  # by which a quotient may be off, and is still written without what is added
)


def short_size(size: Dim) -> str:
    """A size in a few characters. Quotients are written without the direction of rounding; `≈` marks what is left out.

    >>> H = Dim.symbol(InputDim((), "H"))
    >>> short_size((H + 31) // 32), short_size(H // 4), short_size((H + 1) // 32 - 1)
    ('H/32', 'H/4', '≈H/32')
    >>> short_size(2 * H), short_size(H + 1), short_size(2 * (H // 2))
    ('2H', 'H+1', '≈H')
    """
    exact, text = _written(size)
    return text if exact else f"≈{text}"


def _written(size: Dim) -> tuple[bool, str]:
    """The text of a size, and whether it is the size but for rounding."""
    if size.constant is not None:
        return True, str(size)
    floors = [(term, floor) for term in size.terms if (floor := _floor_of(term))]
    if not floors:
        return _sum(size)
    if len(floors) == 1:
        (term, floor) = floors[0]
        rest = size - polynomial({term[0]: term[1]})
        if term == ((floor,), 1) and rest.constant is not None:
            return _quotient(floor, rest.constant)
        if rest.constant == 0:
            return _product(term)
        if rest.symbols and not _by_input(term):
            return False, _written(rest)[1]
    return _leading(size)


def _floor_of(term: Term) -> FloorDivision | None:
    monomial, _ = term
    return next((atom for atom in monomial if isinstance(atom, FloorDivision)), None)


def _by_input(term: Term) -> bool:
    """Whether a term depends on a dimension of an input, and not on params alone."""
    monomial, _ = term
    return any(
        isinstance(symbol, InputDim) for atom in monomial for symbol in atom.symbols
    )


def _quotient(floor: FloorDivision, added: int) -> tuple[bool, str]:
    """A floor division with a constant added to it."""
    kept, dropped = _numerator(floor.numerator)
    divisor = floor.divisor
    exact, above = _written(kept)
    if len(kept.terms) > 1 and "/" not in above:
        above = f"({above})"
    _, below = _written(divisor)
    if len(divisor.terms) > 1:
        below = f"({below})"
    text = f"{above}/{below}"
    off = dropped + added * divisor
    if off in (Dim.of(0), divisor - 1):  # rounded down or up
        return exact, text
    if off.constant is None or divisor.constant is None:
        return False, text
    share = Fraction(off.constant, divisor.constant)
    if 0 <= share < 1:
        return exact, text
    return False, text if abs(share) <= _MAX_OFF else f"{text}{round(share):+}"


def _numerator(size: Dim) -> tuple[Dim, Dim]:
    """What is divided: what depends on inputs, and the rest."""
    if any(_floor_of(term) is not None and _by_input(term) for term in size.terms):
        return size, Dim.of(0)
    kept = [term for term in size.terms if _by_input(term)]
    if not kept:
        kept = [term for term in size.terms if term[0]]
    of_inputs = polynomial(dict(kept))
    return of_inputs, size - of_inputs


def _product(term: Term) -> tuple[bool, str]:
    """A term with floor divisions in it."""
    monomial, factor = term
    for atom in monomial:
        if not isinstance(atom, FloorDivision):
            continue
        others = [one for one in monomial if one is not atom]
        rest = polynomial({tuple(others): factor})
        if rest == atom.divisor:  # rounded to a multiple
            return False, _written(_numerator(atom.numerator)[0])[1]
    parts = [
        _quotient(atom, 0) if isinstance(atom, FloorDivision) else (True, str(atom))
        for atom in monomial
    ]
    text = "·".join(part for _, part in parts)
    return all(exact for exact, _ in parts), text if factor == 1 else f"{factor}·{text}"


def _sum(size: Dim) -> tuple[bool, str]:
    """A sum of products without floor divisions."""
    text = "+".join(map(_plain, size.terms)).replace("+-", "-")
    return (True, text) if len(text) <= _LONG else _leading(size)


def _plain(term: Term) -> str:
    monomial, factor = term
    atoms = "·".join(map(str, monomial))
    if not atoms:
        return str(factor)
    sign, count = ("-", -factor) if factor < 0 else ("", factor)
    times = "·" if len(str(monomial[0])) > 1 else ""
    return f"{sign}{f'{count}{times}' if count > 1 else ''}{atoms}"


def _leading(size: Dim) -> tuple[bool, str]:
    """What depends on an input, of a size with long terms that do not."""
    kept = [term for term in size.terms if _by_input(term)]
    if kept and len(kept) < len(size.terms):
        return False, _written(polynomial(dict(kept)))[1]
    parts = [
        _product(term) if _floor_of(term) else (True, _plain(term))
        for term in size.terms
    ]
    text = "+".join(part for _, part in parts).replace("+-", "-")
    return all(exact for exact, _ in parts), text
