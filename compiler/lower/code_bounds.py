"""Bounds of numbers in code, where the parts that they are made of have bounds; sizes in code as polynomials."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from functools import reduce
from math import ceil, floor, inf, lcm
from types import MappingProxyType

from compiler.codegen.expression_layout import flat
from compiler.codegen.python import (
    Binary,
    Call,
    Compare,
    Comprehension,
    Conditional,
    Expr,
    Literal,
    Name,
    Slice,
    Subscript,
    TupleExpr,
    Unary,
)
from compiler.codegen.traversal import filled
from compiler.dataclass import dataclass
from compiler.ir.module import ScopeNumber
from compiler.lower.scope_code import PythonNotation
from compiler.symbolic.dims import (
    Dim,
    DimOverflow,
    FloorDivision,
    Term,
    ceil_div,
    exact_div,
    polynomial,
)
from compiler.symbolic.intervals import Interval, hull, interval
from compiler.symbolic.symbols import NETWORKS, Symbol

UNBOUNDED: Interval = (-inf, inf)

_MOST_ROUNDS = 1_000
MOST_FACTS = 50
"""Sums that are known to be at least 0, each of which is tried for each question."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class CodePart(Symbol):
    """A part of code that is no sum, product or quotient: a name, an item of a list, what a function returns."""

    code: Expr

    def shown(self) -> str:
        return flat(filled(self.code, _named))


def _named(key: Hashable) -> Expr:
    if isinstance(key, ScopeNumber):
        kind = type(key.symbol).__name__
        return Name(f"{kind}_{getattr(key.symbol, 'position', 0)}")
    return Name(getattr(key, "name", None) or str(key))


class _CodeNotation(PythonNotation):
    """The notation of Python; a part of code is written as it is."""

    def symbol(self, symbol: Symbol) -> Expr:
        return symbol.code if isinstance(symbol, CodePart) else super().symbol(symbol)


def size_of(code: Expr) -> Dim:
    """Code as a polynomial of its parts."""
    match code:
        case Literal(int(value)) if not isinstance(value, bool):
            return Dim.of(value)
        case Unary("-", Binary("//", Unary("-", part), Literal(int(divisor)))) if (
            divisor > 0
        ):
            return ceil_div(size_of(part), divisor)
        case Unary("-", operand):
            return -size_of(operand)
        case Binary("+" | "-" | "*" | "//" as op, left, right):
            try:
                return _binary(op, size_of(left), size_of(right))
            except (ZeroDivisionError, DimOverflow):
                pass
    return Dim.symbol(CodePart(NETWORKS, code))


def _binary(op: str, left: Dim, right: Dim) -> Dim:
    match op:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
    return left // right


def code_of(size: Dim) -> Expr:
    """A polynomial of parts of code as code."""
    return size.written(_CodeNotation())


def difference(code: Expr, other: Expr) -> Dim:
    """How much more one number is than another."""
    return size_of(code) - size_of(other)


def apart(code: Expr) -> tuple[Dim, int]:
    """A number as the part that depends on something, and the constant that is added to it."""
    size = size_of(code)
    constant, _ = constant_and_terms(size)
    return size - constant, constant


def is_always_zero(size: Dim) -> bool:
    """Whether a sum is 0 whatever its parts are: `n // 2 + (n + 1) // 2 - n`.

    A sum of one number and of its quotients by known numbers repeats its course: it is 0 for all if it is for two
    rounds.
    """
    if not size.terms:
        return True
    symbols = [*size.symbols]
    floors = [x for monomial, _ in size.terms for x in monomial if x not in symbols]
    divisors = [x.divisor.constant for x in floors if isinstance(x, FloorDivision)]
    if len(symbols) != 1 or size.depth != 1 or None in divisors:
        return False
    if any(len(monomial) > 1 for monomial, _ in size.terms):
        return False
    rounds = 2 * lcm(*(one for one in divisors if one))
    values = (size.substitute({symbols[0]: Dim.of(n)}) for n in range(rounds + 1))
    return rounds <= _MOST_ROUNDS and all(one == 0 for one in values)


def is_multiple(code: Expr, divisor: Expr) -> bool:
    """Whether the form of a number shows that it is a multiple of another."""
    by = size_of(divisor)
    return by.constant != 0 and exact_div(size_of(code), by) is not None


class Bounds:
    """The bounds of code, by those of its parts, and those of the items of lists."""

    def __init__(
        self,
        parts: Mapping[Expr, Interval],
        items: Mapping[Expr, Interval] = MappingProxyType({}),
    ) -> None:
        self._parts, self._items = dict(parts), dict(items)
        self._facts: list[Dim] = []
        """Sums that are at least 0."""

    def with_facts(self, facts: Iterable[tuple[Expr, Expr]]) -> Bounds:
        """The same bounds, where some numbers are at least others."""
        found = Bounds(self._parts, self._items)
        found._facts = [*self._facts]
        for code, least in facts:
            found.learn(code, least)
        return found

    def learn(self, code: Expr, least: Expr) -> None:
        """Take for true that a number is at least another."""
        size = difference(code, least)
        constant, others = constant_and_terms(size)
        if len(others) == 1:
            ((monomial, factor),) = others
            if len(monomial) == 1 and isinstance(monomial[0], CodePart):
                part = monomial[0].code
                low, high = self.of(part)
                if factor > 0:
                    low = max(low, ceil(-constant / factor))
                else:
                    high = min(high, floor(constant / -factor))
                self._parts[part] = low, high
                return
        if len(self._facts) < MOST_FACTS:
            self._facts.append(size)
            if not constant and sorted(factor for _, factor in others) == [-1, 1]:
                less, more = (
                    polynomial({monomial: 1})
                    for monomial, _ in sorted(others, key=lambda term: term[1])
                )
                if self._of_size(less)[0] >= 1:
                    self._facts.append(more // less - 1)

    def learn_items(self, items: Expr, least: Expr) -> None:
        """Take for true that all items of a list are at least a number."""
        low, high = self._items.get(items, UNBOUNDED)
        self._items[items] = max(low, self.of(least)[0]), high

    def at_least(self, code: Expr, least: Expr) -> bool:
        """Whether one number is never less than another."""
        size = difference(code, least)
        facts = [
            *self._facts,
            *self._of_remainders(size),
            *self._of_quotients(size),
        ]
        return any(
            self._of_size(one)[0] >= 0
            for one in (size, *(size - fact for fact in facts))
        )

    def _of_remainders(self, size: Dim) -> Iterator[Dim]:
        """That the remainders in a sum are less than what they are divided by."""
        for symbol in size.symbols:
            if isinstance(symbol, CodePart):
                match symbol.code:
                    case Binary("%", _, divisor) if self.of(divisor)[0] > 0:
                        yield difference(divisor, symbol.code) - 1

    def _of_quotients(self, size: Dim) -> Iterator[Dim]:
        """That `d * (x // d)` is at most x, and more than `x - d`."""
        for monomial, _ in size.terms:
            for atom in monomial:
                if (
                    isinstance(atom, FloorDivision)
                    and self._of_size(atom.divisor)[0] > 0
                ):
                    rest = atom.numerator - atom.divisor * (
                        atom.numerator // atom.divisor
                    )
                    yield from (rest, atom.divisor - 1 - rest)

    def is_positive(self, code: Expr) -> bool:
        """Whether a number, which may be a float, is above 0."""
        match code:
            case Binary("*" | "/" | "+", left, right):
                parts = self.is_positive(left) and self.is_positive(right)
                return parts or self.of(code)[0] > 0
            case Binary("**", base, _) | Call(Name("math.sqrt"), (base,)):
                return self.is_positive(base)
        return self.of(code)[0] > 0

    def is_at_least_0(self, code: Expr) -> bool:
        """Whether a number, which may be a float, is at least 0."""
        match code:
            case Call(Name("math.sqrt" | "math.exp")):
                return True
            case Binary("/", part, divisor) if self.is_positive(divisor):
                return self.is_at_least_0(part)
            case Binary("*" | "+", left, right):
                parts = self.is_at_least_0(left) and self.is_at_least_0(right)
                return parts or self.of(code)[0] >= 0
            case Binary("**", base, Literal(int(power))):
                return power % 2 == 0 or self.is_at_least_0(base)
        return self.of(code)[0] >= 0

    def of(self, code: Expr) -> Interval:
        """Bounds that hold for all values of the parts."""
        if code in self._parts or not isinstance(code, Binary | Unary):
            return self._part(code)
        return self._of_size(size_of(code))

    def _of_size(self, size: Dim) -> Interval:
        box: dict[Symbol, Interval] = {}
        for symbol in size.symbols:
            assert isinstance(symbol, CodePart)
            low, high = self._part(symbol.code)
            box[symbol] = _whole(low, floor), _whole(high, ceil)
        return interval(size, box)

    def _part(self, code: Expr) -> Interval:
        known = self._parts.get(code)
        if known is not None:
            return known
        match code:
            case Literal(int() | float() as value):
                return value, value
            case Subscript(TupleExpr(parts), (index,)) if parts and not isinstance(
                index, Slice
            ):
                return reduce(hull, map(self.of, parts))
            case Subscript(items, (index,)) if not isinstance(index, Slice):
                return self._items.get(items, UNBOUNDED)
            case Conditional(_, body, orelse):
                return hull(self.of(body), self.of(orelse))
            case Binary(op, left, right):
                return _of_binary(op, self.of(left), self.of(right))
            case Call(Name(name), args) if args:
                return self._call(name, args)
        return UNBOUNDED

    def _call(self, name: str, args: tuple[Expr, ...]) -> Interval:
        if name == "len" and isinstance(args[0], TupleExpr):
            return len(args[0].items), len(args[0].items)
        if name == "len":
            return 0, inf
        if name == "sum" and isinstance(args[0], Comprehension):
            return self._of_sum(args[0])
        if name == "sum":
            items = args[0].value if isinstance(args[0], Subscript) else args[0]
            return (0, inf) if self._items.get(items, UNBOUNDED)[0] >= 0 else UNBOUNDED
        parts = args
        if len(args) == 1 and isinstance(args[0], TupleExpr):
            parts = args[0].items
        elif len(args) == 1 and name in ("min", "max"):
            return self._items.get(args[0], UNBOUNDED)
        lows, highs = zip(*map(self.of, parts), strict=True) if parts else ((), ())
        if name == "max" and parts:
            return max(lows), max(highs)
        if name == "min" and parts:
            return min(lows), min(highs)
        if name in ("int", "round") and lows[0] not in (-inf, inf):
            return int(lows[0]), highs[0]
        return UNBOUNDED

    def _of_sum(self, items: Comprehension) -> Interval:
        """Bounds of a sum of items that are counted from 0 on."""
        counted = Bounds({**self._parts, items.target: (0, inf)})
        return (0, inf) if counted.of(items.element)[0] >= 0 else UNBOUNDED


def constant_and_terms(size: Dim) -> tuple[int, tuple[Term, ...]]:
    """The number in a sum, and its other terms."""
    others = tuple(term for term in size.terms if term[0])
    return sum(factor for monomial, factor in size.terms if not monomial), others


def bounds_of(condition: Expr) -> Iterable[tuple[Expr, Expr]]:
    """The numbers that are at least others where a condition holds."""
    match condition:
        case Compare(">=" | "==", left, right):
            yield left, right
        case Compare(">", left, right):
            yield left, Binary("+", right, Literal(1))
    match condition:
        case Compare("<=" | "==", left, right):
            yield right, left
        case Compare("<", left, right):
            yield right, Binary("+", left, Literal(1))


def _whole(bound: int | float, to: object) -> int | float:
    """A bound that is a whole number, or none."""
    if bound in (-inf, inf) or isinstance(bound, int):
        return bound
    return floor(bound) if to is floor else ceil(bound)


def _of_binary(op: str, left: Interval, right: Interval) -> Interval:
    """Bounds of what is no sum, product or whole quotient."""
    if op == "/" and right[0] > 0 and left[0] >= 0:
        return 0 if right[1] == inf else left[0] / right[1], left[1] / right[0]
    if op == "%" and right[0] > 0:
        return 0, right[1] - 1
    if op == "**" and left[0] >= 1 and right[0] >= 0:
        return 1, inf
    return UNBOUNDED
