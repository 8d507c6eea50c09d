"""Proofs about symbolic sizes, for all values that the `dims` of a spec allow."""

import math
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import field, replace
from functools import lru_cache
from itertools import product

from compiler.dataclass import dataclass
from compiler.symbolic.dims import (
    Atom,
    Dim,
    DimOverflow,
    FloorDivision,
    Monomial,
    polynomial,
    sum_of,
)
from compiler.symbolic.intervals import Bound, Interval, hull, interval
from compiler.symbolic.residues import (
    degrees,
    divisor_symbols,
    opaque,
    periods,
    without_free,
)
from compiler.symbolic.symbols import Symbol

# The limits of one query: sample points, and sample points times the size of the formula.
MAX_PLACES = 20_000
MAX_WORK = 200_000
MAX_CASES = 4_096
MAX_PIECES = 256
MAX_PIECE_WORK = 4_096
PIECE = 20
"""The cost of a piece, in sample points."""


@dataclass(frozen=True, slots=True)
class Constraint:
    """The values of a symbol: multiples of a number, within bounds."""

    min: int = 1
    max: int | None = None
    multiple_of: int = 1

    def __post_init__(self) -> None:
        if self.multiple_of < 1:
            raise ValueError("a symbol is a multiple of a positive number")

    @property
    def first(self) -> int:
        """The smallest value."""
        return -(-self.min // self.multiple_of) * self.multiple_of

    def admits(self, value: int) -> bool:
        """Whether the symbol may have a value."""
        most = value if self.max is None else self.max
        return self.min <= value <= most and value % self.multiple_of == 0

    @property
    def count(self) -> int | None:
        """The number of values; None if there are infinitely many."""
        if self.max is None:
            return None
        return max(0, (self.max - self.first) // self.multiple_of + 1)

    def values(self, most: int) -> range:
        """The first values, at most `most`."""
        count = most if self.count is None else min(most, self.count)
        return range(
            self.first, self.first + count * self.multiple_of, self.multiple_of
        )

    def cycle(self, period: int) -> int:
        """The number of values after which the residues modulo `period` repeat."""
        return period // math.gcd(period, self.multiple_of)

    def meet(self, least: int | None, multiple_of: int) -> "Constraint":
        """The constraint with a further lower bound and a further divisor."""
        multiple = math.lcm(self.multiple_of, multiple_of)
        least = self.min if least is None else max(self.min, least)
        return Constraint(least, self.max, multiple)


Box = tuple[tuple[Symbol, Constraint], ...]


class Budget:
    """The work that all queries about one spec may take, in evaluated terms.

    Answers are cached between specs, but the cost is not: the first time that a spec makes a query, it pays for the
    whole computation of the answer. The result of a compilation therefore does not depend on earlier ones.
    """

    def __init__(self, most: int, hints: int = 400) -> None:
        self.left = most
        self.hints = hints
        self._asked: set[Hashable] = set()

    def may_explain(self) -> bool:
        """Count one more explanation, which is expensive; returns whether it is within the budget."""
        self.hints -= 1
        return self.left > 0 and self.hints >= 0

    def pay(self, question: Hashable, work: int) -> None:
        """Charge for a query and the work of its answer."""
        self.left -= 1 if question in self._asked else 1 + work
        self._asked.add(question)


@dataclass(frozen=True, slots=True)
class Domain:
    """The values of all symbols; a symbol without a constraint is any positive integer.

    Every answer is sound: a proven statement holds for all allowed values for which no
    divisor is zero. A query that would take too long is answered "not proven".
    Equality is decided exactly if all floor divisions are by numbers.
    """

    constraints: Mapping[Symbol, Constraint] = field(default_factory=dict)
    budget: Budget | None = field(default=None, compare=False)
    """The work that queries may take, after which every answer is "not proven"; None: unlimited."""
    _bounds: dict[Dim, Interval] = field(
        default_factory=dict, init=False, compare=False
    )
    """The bounds of sizes from one pass over their terms, which cost nothing."""

    @property
    def exhausted(self) -> bool:
        """Whether the budget is used up."""
        return self.budget is not None and self.budget.left <= 0

    def constraint(self, symbol: Symbol) -> Constraint:
        """The constraint of a symbol."""
        return self.constraints.get(symbol, _ANY)

    def narrowed(
        self, symbol: Symbol, *, least: int | None = None, multiple_of: int = 1
    ) -> "Domain":
        """The domain with one symbol restricted further."""
        constraint = self.constraint(symbol).meet(least, multiple_of)
        return replace(self, constraints={**self.constraints, symbol: constraint})

    def equal(self, a: Dim | int, b: Dim | int) -> bool:
        """Whether two sizes are proven equal for all values.

        >>> from compiler.symbolic.symbols import NETWORKS, InputDim
        >>> height = Dim.symbol(InputDim(NETWORKS, "H"))
        >>> Domain().equal(height // 2 + (height + 1) // 2, height)
        True
        """
        try:
            difference = Dim.of(a) - b
            if difference.constant is not None:
                return difference.constant == 0
            if self.exhausted:
                return False
            box = self._box(difference)
            zero, work = _vanishes(difference, box, MAX_CASES)
            self._pay((difference, box), work)
            return zero
        except DimOverflow:
            return False

    def divisible(self, dim: Dim | int, n: int) -> bool:
        """Whether a size is proven to be a multiple of `n` for all values."""
        size = Dim.of(dim)
        if size.constant is not None:
            return n != 0 and size.constant % n == 0
        try:
            return n != 0 and self.equal(size % n, 0)
        except DimOverflow:
            return False

    def at_least(self, dim: Dim | int, n: int) -> bool:
        """Whether a size is proven to be `n` or more for all values."""
        size = Dim.of(dim)
        if size.constant is not None:
            return size.constant >= n
        return self._plain(size)[0] >= n or self._refined(size)[0] >= n

    def simplified(self, dim: Dim) -> Dim:
        """A size that is equal for all values, and simpler if its symbols are multiples of a number.

        >>> from compiler.symbolic.symbols import NETWORKS, InputDim
        >>> symbol = InputDim(NETWORKS, "H")
        >>> multiple = Domain({symbol: Constraint(multiple_of=4)})
        >>> str(multiple.simplified((Dim.symbol(symbol) + 3) // 4))
        'H // 4'
        """
        if not dim.depth or not self.constraints:
            return dim
        steps = tuple(
            (symbol, self.constraints[symbol].multiple_of)
            for symbol in sorted(dim.symbols)
            if symbol in self.constraints
        )
        multiples = tuple((symbol, step) for symbol, step in steps if step > 1)
        return _simplified(dim, multiples) if multiples else dim

    def lower(self, dim: Dim | int) -> int | None:
        """A lower bound of the size, the best one found."""
        size = Dim.of(dim)
        return _finite(max(self._plain(size)[0], self._refined(size)[0]))

    def upper(self, dim: Dim | int) -> int | None:
        """An upper bound of the size, the best one found."""
        size = Dim.of(dim)
        return _finite(min(self._plain(size)[1], self._refined(size)[1]))

    def may_explain(self) -> bool:
        """Whether one more explanation is within the budget."""
        return self.budget is None or self.budget.may_explain()

    def _pay(self, question: Hashable, work: int) -> None:
        if self.budget is not None:
            self.budget.pay(question, work)

    def _box(self, dim: Dim) -> Box:
        return tuple(
            (symbol, self.constraint(symbol)) for symbol in sorted(dim.symbols)
        )

    def _plain(self, dim: Dim) -> Interval:
        known = self._bounds.get(dim)
        if known is None:
            box = {one: _bounds(constraint) for one, constraint in self._box(dim)}
            known = self._bounds[dim] = interval(dim, box)
        return known

    def _refined(self, dim: Dim) -> Interval:
        """Bounds that are found piece by piece of the domain."""
        if self.exhausted:
            return -math.inf, math.inf
        box = self._box(dim)
        bounds, work = _by_pieces(dim, box)
        self._pay(("bounds", dim, box), work)
        return bounds


_ANY = Constraint()


def _finite(bound: Bound) -> int | None:
    return bound if isinstance(bound, int) else None


def _bounds(constraint: Constraint) -> Interval:
    count = constraint.count
    if count is None:
        return constraint.first, math.inf
    steps = max(count - 1, 0)
    return constraint.first, constraint.first + steps * constraint.multiple_of


@lru_cache(maxsize=4_096)
def _simplified(dim: Dim, multiples: tuple[tuple[Symbol, int], ...]) -> Dim:
    """Remove remainders that are zero from floor divisions, then write `4 * (s // 4)` as `s`."""
    steps = dict(multiples)
    try:
        total = Dim.of(0)
        for monomial, factor in dim.terms:
            product = Dim.of(factor)
            for atom in monomial:
                product *= _without_remainder(atom, multiples)
            total += sum_of(_absorbed(*term, steps) for term in product.terms)
    except DimOverflow:
        return dim
    return total


def _without_remainder(atom: Atom, multiples: tuple[tuple[Symbol, int], ...]) -> Dim:
    """A floor over multiples of symbols: `(4 * n + 3) // 4` is `n`, which is `s // 4`."""
    if isinstance(atom, Symbol):
        return polynomial({(atom,): 1})
    over = _simplified(atom.numerator, multiples)
    floor = over // _simplified(atom.divisor, multiples)
    scaled = floor.substitute(
        {symbol: n * Dim.symbol(symbol) for symbol, n in multiples}
    )
    return floor if scaled.depth else _unscaled(scaled, dict(multiples))


def _unscaled(dim: Dim, steps: Mapping[Symbol, int]) -> Dim:
    """A polynomial in which `s` means `s // steps[s]`, rewritten in the symbols themselves."""
    total = Dim.of(0)
    for monomial, factor in dim.terms:
        product = Dim.of(1)
        for symbol in [atom for atom in monomial if isinstance(atom, Symbol)]:
            step = steps.get(symbol, 1)
            whole = math.gcd(factor, step)  # whole * (s // step) is s // (step / whole)
            factor //= whole
            product *= Dim.symbol(symbol) // (step // whole)
        total += factor * product
    return total


def _absorbed(monomial: Monomial, factor: int, steps: Mapping[Symbol, int]) -> Dim:
    """A product in which `4 * (s // 4)` is `s`, for multiples of 4."""
    product = Dim.of(1)
    for atom in monomial:
        part = polynomial({(atom,): 1})
        if isinstance(atom, FloorDivision):
            by, symbol = atom.divisor.constant or 0, atom.numerator.alone
            step = 1 if symbol is None else steps.get(symbol, 1)
            if by > 1 and factor % by == 0 and step % by == 0:
                part, factor = atom.numerator, factor // by
        product *= part
    return factor * product


@lru_cache(maxsize=4_096)
def _vanishes(dim: Dim, box: Box, cases: int) -> tuple[bool, int]:
    """Whether a size is zero for all values of its symbols, and the work of the proof."""
    try:
        for symbol, constraint in box:
            few = (constraint.count or cases + 1) <= cases
            if symbol in divisor_symbols(dim) and few:
                return _vanishes_by_cases(dim, box, cases, symbol, constraint)
        limits = dict(box)
        dim = opaque(dim)
        finite = {symbol for symbol, constraint in box if constraint.count is not None}
        parts = without_free(dim, dim.symbols - finite)
        return _all(_zero_everywhere(part, limits) for part in parts)
    except DimOverflow:
        return False, 0


def _all(answers: Iterable[tuple[bool, int]]) -> tuple[bool, int]:
    """Whether all answers are true, and the work up to the first that is false."""
    total = 0
    for holds, work in answers:
        total += work
        if not holds:
            return False, total
    return True, total


def _zero_everywhere(dim: Dim, limits: Mapping[Symbol, Constraint]) -> tuple[bool, int]:
    """Decide by enough sample points, for sizes whose floor divisions are by numbers."""
    step, degree, symbols = periods(dim), degrees(dim), sorted(dim.symbols)
    ranges: list[range] = []
    for symbol in symbols:
        constraint = limits.get(symbol, _ANY)
        most = constraint.cycle(step[symbol]) * (degree[symbol] + 1)
        ranges.append(constraint.values(min(most, MAX_PLACES + 1)))
    count = math.prod(map(len, ranges))
    if count > min(MAX_PLACES, MAX_WORK // max(dim.size, 1)):
        return False, 0
    places = (dict(zip(symbols, values, strict=True)) for values in product(*ranges))
    return all(dim.evaluate(place) == 0 for place in places), count * dim.size


def _vanishes_by_cases(
    dim: Dim, box: Box, cases: int, symbol: Symbol, constraint: Constraint
) -> tuple[bool, int]:
    """Substitute each value of a divisor in turn, which leaves floor divisions by numbers."""
    values = constraint.values(cases)
    rest = tuple(item for item in box if item[0] != symbol)
    cases //= max(len(values), 1)
    try:
        dims = [dim.substitute({symbol: value}) for value in values]
    except ZeroDivisionError:
        return False, 0
    return _all(_vanishes(dim, rest, cases) for dim in dims)


@lru_cache(maxsize=4_096)
def _by_pieces(dim: Dim, box: Box) -> tuple[Interval, int]:
    """Bounds from each combination of residues, for which floor divisions are exact, and the work of finding them."""
    parts = _parts(dim, box)
    pieces = (_pieces(symbol, constraint, parts[symbol]) for symbol, constraint in box)
    found: Interval = (math.inf, -math.inf)
    work = 0
    for piece in product(*pieces):
        work += PIECE * dim.size
        values = {symbol: value for symbol, value, _ in piece}
        bounds = {symbol: (0, last) for symbol, _, last in piece}
        try:
            found = hull(found, interval(dim.substitute(values), bounds))
        except (ZeroDivisionError, DimOverflow):
            return (-math.inf, math.inf), work
    return found, work


def _parts(dim: Dim, box: Box) -> dict[Symbol, int]:
    """The number of pieces for each symbol: one for each value if there are few."""
    budget = min(MAX_PIECES, MAX_PIECE_WORK // max(dim.size, 1))
    counts = {symbol: constraint.count for symbol, constraint in box}
    if math.prod(count or budget + 1 for count in counts.values()) <= budget:
        return {symbol: count or 1 for symbol, count in counts.items()}
    parts, step = dict.fromkeys(counts, 1), periods(dim)
    for symbol, constraint in box:
        cycle = constraint.cycle(step[symbol])
        if cycle <= budget:
            parts[symbol] = cycle
            budget //= cycle
    return parts


def _pieces(
    symbol: Symbol, constraint: Constraint, parts: int
) -> Iterator[tuple[Symbol, Dim, Bound]]:
    """A symbol as `start + stride * n`, for each start, with the largest `n`."""
    stride = parts * constraint.multiple_of
    for start in constraint.values(parts):
        last = _bounds(constraint)[1]
        most = last if isinstance(last, float) else (last - start) // stride
        yield symbol, start + stride * Dim.symbol(symbol), most
