"""Bounds of numbers in code, where the names that it is made of have bounds."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf

from compiler.codegen.python import (
    Binary,
    Call,
    Conditional,
    Expr,
    Literal,
    Name,
    Placeholder,
    Slice,
    Subscript,
    TupleExpr,
    Unary,
    lit,
)
from compiler.ir.module import ScopeName
from compiler.symbolic.intervals import Bound, Interval, hull

Linear = dict[Expr | None, int]
"""A sum: how often each part occurs in it; None stands for 1."""

UNBOUNDED: Interval = (-inf, inf)


def linear_form(code: Expr) -> Linear:
    """Code as a sum of parts that are no sums."""
    match code:
        case Literal(int(value)) if not isinstance(value, bool):
            return {None: value}
        case Unary("-", operand):
            return combine({}, linear_form(operand), -1)
        case Binary("+" | "-" as op, left, right):
            sign = 1 if op == "+" else -1
            return combine(linear_form(left), linear_form(right), sign)
        case Binary("*", left, right):
            one, other = linear_form(left), linear_form(right)
            for factor, form in ((one, other), (other, one)):
                if set(factor) <= {None}:
                    return combine({}, form, factor.get(None, 0))
    return {code: 1}


def combine(one: Linear, other: Linear, factor: int = 1) -> Linear:
    """The sum of two sums, the second so many times."""
    found = dict(one)
    for part, times in other.items():
        found[part] = found.get(part, 0) + factor * times
    return {part: times for part, times in found.items() if times}


def linear_code(form: Linear) -> Expr:
    """A sum as code: what is added, what is taken away, then the number."""
    total: Expr | None = None
    for part, times in sorted(form.items(), key=lambda item: item[1] < 0):
        if part is None:
            continue
        size = part if abs(times) == 1 else Binary("*", lit(abs(times)), part)
        if total is None:
            total = size if times > 0 else Unary("-", size)
        else:
            total = Binary("+" if times > 0 else "-", total, size)
    number = form.get(None, 0)
    if total is None:
        return lit(number)
    if not number:
        return total
    return Binary("+" if number > 0 else "-", total, lit(abs(number)))


MOST_FACTS = 50
"""Sums that are known to be at least 0, each of which is tried for each question."""


def is_multiple(code: Expr, divisor: Expr) -> bool:
    """Whether the form of a number shows that it is a multiple of another: each part of a sum has it as a factor."""
    if divisor == lit(1):
        return True
    of = divisor.value if isinstance(divisor, Literal) else None
    return all(
        (isinstance(of, int) and of != 0 and times % of == 0)
        or (part is not None and divisor in _factors(part))
        for part, times in linear_form(code).items()
    )


def _factors(code: Expr) -> list[Expr]:
    match code:
        case Binary("*", left, right):
            return [*_factors(left), *_factors(right)]
    return [code]


class Bounds:
    """The bounds of code; of a name and of the items of a list `names` and `items` tell them."""

    def __init__(
        self, names: Mapping[str, Interval], items: Mapping[str, Interval]
    ) -> None:
        self.names, self.items = dict(names), dict(items)
        self._learned: dict[Expr, int] = {}
        """Parts of sums that are at least a number."""
        self._facts: list[Linear] = []
        """Sums that are at least 0."""

    def learn(self, code: Expr, least: Expr) -> None:
        """Take for true that a number is at least another."""
        match code, least:
            case (
                Placeholder(ScopeName(name))
                | Call(Name("len"), (Placeholder(ScopeName(name)),)),
                Literal(int(number)),
            ):
                low, high = self.names.get(name, UNBOUNDED)
                self.names[name] = max(low, number), high
            case _, Literal(int(number)) if linear_form(code) == {code: 1}:
                self._learned[code] = number
            case _ if len(self._facts) < MOST_FACTS:
                self._facts.append(_difference(code, least))

    def at_least(self, code: Expr, least: Expr) -> bool:
        """Whether one number is never less than another."""
        form = _difference(code, least)
        more = (combine(form, fact, -1) for fact in self._facts)
        return any(self._of_sum(one)[0] >= 0 for one in (form, *more))

    def of(self, code: Expr) -> Interval:
        """Bounds that hold for all values of the names."""
        return self._of_sum(linear_form(code))

    def _of_sum(self, form: Linear) -> Interval:
        low: Bound = 0
        high: Bound = 0
        for part, times in form.items():
            one, other = (1, 1) if part is None else self._part(part)
            ends = _times(one, times), _times(other, times)
            low, high = low + min(ends), high + max(ends)
        return low, high

    def _part(self, code: Expr) -> Interval:
        if code in self._learned:
            return self._learned[code], inf
        match code:
            case Literal(int() | float() as value):
                return value, value
            case Placeholder(ScopeName(name)):
                return self.names.get(name, UNBOUNDED)
            case Subscript(Placeholder(ScopeName(name)), (index,)):
                one = not isinstance(index, Slice)
                return self.items.get(name, UNBOUNDED) if one else UNBOUNDED
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
            found = self.names.get(_listed(args[0]), UNBOUNDED)
            return max(found[0], 0), inf
        parts = args
        if len(args) == 1 and isinstance(args[0], TupleExpr):
            parts = args[0].items
        elif len(args) == 1 and name in ("min", "max"):
            return self.items.get(_listed(args[0]), UNBOUNDED)
        lows, highs = zip(*map(self.of, parts), strict=True) if parts else ((), ())
        if name == "max" and parts:
            return max(lows), max(highs)
        if name == "min" and parts:
            return min(lows), min(highs)
        if name in ("int", "round") and lows[0] not in (-inf, inf):
            return int(lows[0]), highs[0]
        return UNBOUNDED


def _difference(code: Expr, other: Expr) -> Linear:
    return combine(linear_form(code), linear_form(other), -1)


def _listed(code: Expr) -> str:
    """The name of a list."""
    if isinstance(code, Placeholder) and isinstance(code.key, ScopeName):
        return code.key.name
    return ""


def _of_binary(op: str, left: Interval, right: Interval) -> Interval:
    if op == "*":
        corners = [_times(a, b) for a in left for b in right]
        return min(corners), max(corners)
    if op in ("//", "/") and right[0] > 0 and left[0] >= 0:
        low = 0 if right[1] == inf else left[0] / right[1]
        high = left[1] / right[0]
        return (low // 1, high // 1) if op == "//" else (low, high)
    if op == "%" and right[0] > 0:
        return 0, right[1] - 1
    if op == "**" and left[0] >= 1 and right[0] >= 0:
        return 1, inf
    return UNBOUNDED


def _times(a: Bound, b: Bound) -> Bound:
    return 0 if a == 0 or b == 0 else a * b
