"""A number that must be at least another, a multiple of it, equal to it or not, in the names of a scope."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from math import inf
from typing import Any, Final, get_args
from typing import Literal as OneOf

from compiler.codegen.python import (
    Binary,
    Compare,
    Comprehension,
    Expr,
    Literal,
    Logic,
    Name,
    Placeholder,
    Starred,
    Unary,
    call,
    lit,
)
from compiler.codegen.traversal import filled, placeholders
from compiler.dataclass import dataclass, replace
from compiler.ir.module import ScopeName
from compiler.op.arg_types import Range
from compiler.symbolic.intervals import Interval
from compiler.symbolic.symbol_table import COUNTER

Relation = OneOf["least", "multiple", "not", "equal", Range]

FLOATS: Final = get_args(Range)
"""The relations that are of floats."""


@dataclass(frozen=True)
class CopyIndex:
    """The number of a copy in what is required of several copies; the innermost copies have number 0."""

    number: int

    @property
    def name(self) -> str:
        """What the code calls it."""
        return "ijkl"[self.number % 4] + "_" * (self.number // 4)


@dataclass(frozen=True)
class Copies:
    """Copies of which each requires a number: from number `first` on, up to `count`."""

    index: CopyIndex
    count: Expr
    first: int = 0


@dataclass(frozen=True)
class Required:
    """A number that must be at least another, where all conditions hold; in the names of a scope.

    Attributes:
        code: the number; `*items` stands for each of some items.
        least: what it must be at least.
        conditions: under which it must.
        relation: "multiple" where it must be a multiple of the other, "equal" where it must be the same, "not" where
            it must be another number. Of a float it says which it may be: the algebra of sizes has none.
        copies: of which each requires it, outer ones first.
        counts: tests of numbers of copies, such as `n > 0`, without which nothing is required.
        default: the param that is computed from it where it is not given; "" for none.
        is_refused: whether the layer itself refuses other numbers.
        broadcasts: whether one of two equal sizes may be 1 as well.
        of_init: whether a formula of `init` requires it, which is not worked out where other values are tried.
    """

    code: Expr
    least: Expr
    conditions: tuple[Expr, ...] = ()
    relation: Relation = "least"
    copies: tuple[Copies, ...] = ()
    counts: tuple[Expr, ...] = ()
    default: str = ""
    is_refused: bool = False
    of_init: bool = False
    broadcasts: bool = False

    @property
    def codes(self) -> tuple[Expr, ...]:
        """All code that it is made of."""
        counts = (copies.count for copies in self.copies)
        return self.code, self.least, *self.conditions, *counts, *self.counts

    @property
    def is_certain(self) -> bool:
        """Whether it is required of all arguments."""
        return not (self.conditions or self.copies or self.counts or self.default)

    def mapped(self, code: Mapping[Hashable, Expr]) -> Required:
        """The same with other code in place of some placeholders."""
        return self.each(
            lambda one: filled(one, lambda key: code.get(key, Placeholder(key)))
        )

    def each(self, change: Any) -> Required:
        """The same with all of its code changed."""
        return replace(
            self,
            code=change(self.code),
            least=change(self.least),
            conditions=tuple(map(change, self.conditions)),
            copies=tuple(replace(x, count=change(x.count)) for x in self.copies),
            counts=tuple(map(change, self.counts)),
        )

    @property
    def wrong(self) -> Expr:
        """The code that is true where the number is wrong, whatever the conditions."""
        if self.relation == "multiple":
            return Compare("!=", Binary("%", self.code, self.least), lit(0))
        if self.relation == "equal":
            return Compare("!=", self.code, self.least)
        if self.relation == "not":
            return Compare("==", self.code, self.least)
        if self.relation == "above 0":
            return Compare("<=", self.code, self.least)
        if self.relation == "share":
            below, above = (
                Compare("<", self.code, self.least),
                Compare(">", self.code, lit(1)),
            )
            return Logic("or", (below, above))
        if isinstance(self.code, Starred):
            smallest = call("min", self.code.value, default=self.least)
            return Compare("<", smallest, self.least)
        return Compare("<", self.code, self.least)

    @property
    def test(self) -> Expr:
        """The code that is true where the number is wrong."""
        return self.test_of(self.wrong)

    def test_of(self, wrong: Expr) -> Expr:
        """Code that is true where other code, for a number that is wrong, is true in a copy under the conditions."""
        left: list[Expr] = [*self.counts, *self.conditions]
        for copies in reversed(self.copies):
            inside = [x for x in left if copies.index in placeholders(x)]
            left = [one for one in left if one not in inside]
            index = Name(copies.index.name)
            test = _with(copies.index, index, all_of([*inside, wrong]))
            first = [lit(copies.first)] if copies.first else []
            numbers = call("range", *first, copies.count)
            wrong = call("any", Comprehension(test, index, numbers))
        return all_of([*left, wrong])


def of_copies(one: Required, count: Expr | None) -> Iterator[Required]:
    """What is required for every copy of so many; `i` counts them. Without a count there are no copies.

    In a group `i` counts the copies of the group, which what builds it has.
    """
    if count is None:
        yield one
        return
    counter = ScopeName(COUNTER)
    if any(counter in placeholders(code) for code in one.codes):
        index = CopyIndex(len(one.copies))
        one = one.mapped({counter: Placeholder(index)})
        yield replace(one, copies=(Copies(index, count), *one.copies))
    else:
        exists = Compare(">", count, lit(0))
        yield replace(one, counts=tuple(dict.fromkeys((*one.counts, exists))))


def indices_of(one: Required) -> dict[Expr, Interval]:
    """The bounds of the numbers of copies."""
    return {Placeholder(copies.index): (copies.first, inf) for copies in one.copies}


def _with(key: Hashable, code: Expr, test: Expr) -> Expr:
    """A test with code in place of a placeholder."""
    return filled(test, lambda one: code if one == key else Placeholder(one))


_OPPOSITES = {"==": "!=", "<": ">=", ">": "<=", "in": "not in"}
_OPPOSITES |= {other: op for op, other in _OPPOSITES.items()}


def negated(test: Expr) -> Expr:
    """A test that holds where another does not."""
    match test:
        case Unary("not", operand):
            return operand
        case Compare(op, left, right) if op in _OPPOSITES:
            return Compare(_OPPOSITES[op], left, right)
        case Literal(bool(value)):
            return lit(not value)
    return Unary("not", test)


def all_of(tests: Sequence[Expr]) -> Expr:
    """Code that is true where all tests are."""
    return tests[0] if len(tests) == 1 else Logic("and", tuple(tests))
