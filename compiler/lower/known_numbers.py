"""What is known of the arguments of a constructor for which none of its demands holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from compiler.codegen.python import (
    Binary,
    Expr,
    Literal,
    Placeholder,
    Slice,
    Starred,
    Subscript,
    call,
    lit,
)
from compiler.lower.code_bounds import (
    Bounds,
    bounds_of,
    difference,
    is_always_zero,
    is_multiple,
)
from compiler.lower.required import FLOATS, Required
from compiler.symbolic.intervals import Interval


class KnownNumbers:
    """Numbers that are at least others, some of them under conditions alone."""

    def __init__(self, bounds: Mapping[Expr, Interval]) -> None:
        self._always = Bounds(bounds)
        self._conditional: list[Required] = []
        self._multiples: list[Required] = []
        self._floats: list[Required] = []
        self._first: dict[Expr, list[tuple[Expr | None, Expr]]] = {}
        """By list, up to which of its items, None for all, these are at least a number."""

    def at_least(self, code: Expr, least: Expr) -> bool:
        """Whether one number is never less than another, whatever the conditions."""
        return self._always.at_least(code, least)

    def learn_always(self, code: Expr, least: Expr) -> None:
        """Take for true that a number is at least another."""
        self._always.learn(code, least)

    def where(self, one: Required) -> Bounds:
        """What is known where something is required."""
        under = {*one.conditions, *one.counts}
        facts = [pair for test in under for pair in bounds_of(test)]
        facts += [
            (other.code, other.least)
            for other in self._conditional
            if other.copies == one.copies
            and {*other.conditions, *other.counts} <= under
        ]
        for copies in one.copies:
            index = Placeholder(copies.index)
            facts.append((index, lit(copies.first)))
            for items, known in self._first.items():
                for stop, least in known:
                    if stop is None or stop == copies.count:
                        for place in (index, Binary("-", index, lit(1))):
                            facts.append((Subscript(items, (place,)), least))
        return self._always.with_facts(facts) if facts else self._always

    def is_proven(self, one: Required) -> bool:
        """Whether what is required holds for all arguments."""
        if one.relation == "multiple":
            return is_multiple(one.code, one.least) or any(
                _implies(other, one) for other in self._multiples
            )
        if one.relation == "equal":
            return is_always_zero(difference(one.code, one.least))
        if one.relation in FLOATS:
            return self._is_in_range(one)
        if isinstance(one.code, Starred):
            known_ = self._of_items(one.code)
            return any(self.at_least(least, one.least) for least in known_)
        if one.relation == "least" and self._is_first(one.code, one.least):
            return True
        known, least = self.where(one), one.least
        if one.relation == "not":
            if least == lit(0) and known.is_positive(one.code):
                return True
            least = Binary("+", least, lit(1))
        if known.at_least(one.code, least):
            return True
        factors = factors_of(one.code)
        return (
            one.least == lit(1)
            and len(factors) > 1
            and all(known.at_least(factor, lit(1)) for factor in factors)
        )

    def _is_in_range(self, one: Required) -> bool:
        """Whether a float is known to be one that it may be."""
        known_ = self.where(one)
        above = one.relation == "above 0"
        holds = known_.is_positive if above else known_.is_at_least_0
        within = holds(one.code)
        if within and (one.relation != "share" or known_.of(one.code)[1] <= 1):
            return True
        known = (replace(other, is_refused=one.is_refused) for other in self._floats)
        return any(_implies(other, one) for other in known)

    def learn(self, one: Required) -> None:
        """Take for true what is required."""
        if one.relation in FLOATS:
            self._floats.append(one)
            return
        if one.relation == "not" or one.default:
            return
        if one.relation == "equal":
            more = replace(one, relation="least")
            for each in (more, replace(more, code=one.least, least=one.code)):
                self.learn(each)
            return
        if one.relation == "multiple":
            self._multiples.append(one)
            one = replace(one, relation="least")
            self.learn(one)
            quotient = Binary("//", one.code, one.least)
            one = replace(one, code=quotient, least=lit(1))
        if isinstance(one.code, Starred):
            if one.is_certain:
                self._learn_items(one.code, one.least)
        elif one.is_certain:
            self._always.learn(one.code, one.least)
        else:
            self._conditional.append(one)

    def may_be_empty(self, items: Starred) -> bool:
        """Whether there may be no items, of which none is the smallest."""
        match items.value:
            case Subscript(_, (Slice(None, stop),)) if stop is not None:
                return not self.at_least(stop, lit(1))
        return not self.at_least(call("len", items.value), lit(1))

    def _learn_items(self, items: Starred, least: Expr) -> None:
        match items.value:
            case Subscript(whole, (Slice(None, stop),)):
                self._first.setdefault(whole, []).append((stop, least))
                if isinstance(stop, Literal) and isinstance(stop.value, int):
                    for place in range(stop.value):
                        self._always.learn(Subscript(whole, (lit(place),)), least)
            case whole:
                self._first.setdefault(whole, []).append((None, least))
                self._always.learn_items(whole, least)

    def _is_first(self, code: Expr, least: Expr) -> bool:
        """Whether a number is one of the first items of a list, all of which are at least another."""
        match code:
            case Subscript(items, (Literal(int(place)),)) if place >= 0:
                known = self._first.get(items, ())
                return any(
                    stop is not None and self.at_least(stop, lit(place + 1))
                    for stop, other in known
                    if other == least
                )
        return False

    def _of_items(self, items: Starred) -> Iterator[Expr]:
        """What some items of a list are known to be at least."""
        match items.value:
            case Subscript(whole, (Slice(None, stop),)):
                ends = None, stop
            case whole:
                ends = None, None
        for end, least in self._first.get(whole, ()):
            if end in ends:
                yield least


def _implies(one: Required, other: Required) -> bool:
    """Whether a number that is a multiple is one where another one must be the same."""
    under = {*one.conditions, *one.counts}
    return replace(
        one, conditions=other.conditions, counts=other.counts
    ) == other and under <= {*other.conditions, *other.counts}


def factors_of(code: Expr) -> Sequence[Expr]:
    """What is multiplied in a product; of another number itself."""
    match code:
        case Binary("*", left, right):
            return [*factors_of(left), *factors_of(right)]
    return [code]
