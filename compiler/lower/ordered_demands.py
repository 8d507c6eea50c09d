"""The demands of a constructor in their order: each number after those that its formula is worked out from."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from math import inf

from compiler.codegen.python import (
    Binary,
    Compare,
    Expr,
    Literal,
    Logic,
    Placeholder,
    Starred,
    Subscript,
    Unary,
    call,
    lit,
)
from compiler.codegen.traversal import placeholders, walk
from compiler.ir.module import ScopeName
from compiler.language.params import Param
from compiler.lower.class_ir import Demand
from compiler.lower.class_plan import ClassPlan
from compiler.lower.code_bounds import bounds_of
from compiler.lower.constructors import Signature, is_computed
from compiler.lower.demand_text import (
    Number,
    at_least,
    declared,
    demand_of,
    test_of,
    together,
)
from compiler.lower.known_numbers import KnownNumbers
from compiler.lower.late_params import asks_for, late_params
from compiler.lower.required import FLOATS, Required
from compiler.lower.scope_code import name_code
from compiler.lower.simplify_required import families, is_length, text_of
from compiler.symbolic.evaluate import Value
from compiler.symbolic.intervals import Interval
from compiler.symbolic.symbol_table import COUNTER

_MANY = 8
"""So many demands under conditions are no longer made one by one."""


class Demands:
    """What is demanded of the arguments of a class, and what is known of those for which it holds."""

    def __init__(
        self,
        plan: ClassPlan,
        taken: Signature,
        positive: Collection[str],
        demanded: Sequence[Expr],
        copies: Collection[str],
    ) -> None:
        self.plan, self.taken = plan, taken.all
        self.late = late_params(taken.defaults)
        self.fixed = {**_unused(plan, taken), **plan.fixed}
        params = plan.scope.params.items() if plan.scope.kind == "network" else ()
        self.params = {name: param for name, param in params if name in self.taken}
        self.numbers: list[Number] = []
        """The numbers that are at least 1, and how a message names them."""
        self.items: dict[Expr, list[Number]] = {}
        """The items of lists, by the least that they are."""
        self.lengths: dict[Expr, list[Number]] = {}
        """How long lists are, by the least that they are: before items of them are asked for."""
        self.multiples: list[Required] = []
        self.equal: list[Demand] = []
        self.formulas: dict[Expr, list[Number]] = {}
        """Those that are worked out, by the least that they are: after the numbers that they are divided by."""
        self.counts: dict[Expr, list[Number]] = {}
        """Names that are at least others than 1, such as numbers of copies, by these."""
        self.others: list[Required] = []
        self.copies = copies
        """The names of numbers of copies, and of lists of such."""
        self.early: list[Demand] = []
        """What formulas need to be worked out at all."""
        dims = {n for use in plan.uses for n in use.names} - plan.scope.params.keys()
        sizes = dict.fromkeys(map(name_code, dims - {COUNTER}), (1, inf))
        self.known = KnownNumbers({**sizes, **dict(self._declared())})
        for test in demanded:
            if isinstance(test, Compare) and test.op == "<":
                self.known.learn_always(test.left, test.right)
        for name, param in self.params.items():
            if self.known.at_least(name_code(name), lit(1)):
                continue
            if name in positive and not _is_bounded(param) and _is_positive(plan, name):
                self.numbers.append(_least(plan, name))
                self.known.learn_always(self.numbers[-1][0], lit(1))

    def refuse_zeros(self, lists: Iterable[tuple[str, Starred]]) -> None:
        """Demand of some items of lists that none is 0."""
        for name, items in lists:
            self.items.setdefault(lit(1), []).append((items, name))
            self.known.learn(Required(items, lit(1)))

    def _declared(self) -> Iterator[tuple[Expr, Interval]]:
        """The bounds that params have."""
        for name, param in self.params.items():
            low = -inf if param.min is None else param.min
            high = inf if param.max is None else param.max
            yield name_code(name), (low, high)

    def takes(self, one: Required) -> bool:
        """Whether its names are arguments, or fixed: of equal sizes one may be of a param that no layer needs."""
        asked = {
            key.name
            for code in one.codes
            for key in placeholders(code)
            if isinstance(key, ScopeName)
        }
        if one.default and one.default not in self.taken:
            return False
        fixed = (self.fixed if one.relation == "equal" else self.plan.fixed).keys()
        return asked <= {*self.taken, *fixed} and bool(asked - fixed)

    def without_untaken(self, one: Required) -> Required:
        """The same whether or not a param is given that is none of a network's arguments: its default is worked out."""
        untaken = one.default not in self.taken and self.plan.scope.kind == "network"
        return replace(one, default="") if untaken else one

    def without_certain(self, one: Required) -> Required:
        """The same without tests of numbers of copies that always hold."""
        left = tuple(test for test in one.counts if not self._is_certain(test))
        return replace(one, counts=left)

    def add(self, one: Required) -> None:
        """Demand it."""
        self.known.learn(one)
        demand = demand_of(one, self.known)
        if one.default:
            missing = Compare("is", name_code(one.default), lit(None))
            self.early.append((Logic("and", (missing, demand[0])), demand[1]))
        elif not one.is_certain:
            first = [x for x in self.others if is_length(x.code) or x.relation == "not"]
            place = len(first) if one.relation == "not" else len(self.others)
            self.others.insert(0 if is_length(one.code) else place, one)
        elif one.relation == "multiple":
            self.multiples.append(one)
        elif one.relation == "equal":
            self.equal.append(demand)
        elif one.relation == "not":
            self.early.append(demand)
        elif one.relation in FLOATS:
            self._add_float(one)
        else:
            self._add_least(one)

    def _is_certain(self, test: Expr) -> bool:
        """Whether a test of a number of copies always holds."""
        return all(self.known.at_least(*pair) for pair in bounds_of(test))

    def _add_least(self, one: Required) -> None:
        number = one.code, text_of(one.code)
        match one.code:
            case Starred(items):
                name = items.value if isinstance(items, Subscript) else items
                self.items.setdefault(one.least, []).append((one.code, text_of(name)))
            case Unary("-", _):
                self.others.append(one)
            case code if is_length(code):
                self.lengths.setdefault(one.least, []).append(number)
            case Placeholder() | Subscript() if one.least == lit(1):
                self.numbers.append(number)
            case Placeholder():
                self.counts.setdefault(one.least, []).append(number)
            case _:
                self.formulas.setdefault(one.least, []).append(number)

    def _add_float(self, one: Required) -> None:
        """Demand it: in one line with others that are at least 0."""
        if one.relation == "from 0" and isinstance(one.code, Placeholder):
            self.counts.setdefault(one.least, []).append((one.code, text_of(one.code)))
        else:
            self.others.append(one)

    def all(self) -> Iterator[Demand]:
        """All demands in their order."""
        for name, param in self.params.items():
            yield from declared(name, param)
        yield from self._lengths()
        yield from self.early
        stars = self.items.pop(lit(1), [])
        certain = [one for one in self.numbers if not is_length(one[0])]
        certain += [one for one in stars if not self._may_be_empty(one)]
        others = [one for one in stars if one not in certain]
        if len(certain) > 1:
            certain, others = [*certain, *others], []
        yield from self._at_least(certain, lit(1))
        for least, items in {lit(1): others, **self.items}.items():
            empty = [one for one in items if self._may_be_empty(one)]
            yield from self._at_least([x for x in items if x not in empty], least)
            for code, text in empty:
                one = Required(code, least)
                yield (
                    test_of(one, self.known),
                    f"{text} must be at least {text_of(least)}",
                )
        late = [one for one in self.multiples if _may_be_zero(one.least)]
        yield from (
            demand_of(one, self.known) for one in self.multiples if one not in late
        )
        for least, formulas in self.formulas.items():
            yield from self._at_least(formulas, least)
        for least, counts in self.counts.items():
            yield from self._at_least(counts, least)
        yield from self.equal
        yield from self._of_others()
        yield from (demand_of(one, self.known) for one in late)

    def _of_others(self) -> Iterator[Demand]:
        """What is demanded under conditions; much of one sort in one test, so that the constructor stays simple."""
        others = list(families(self.others))
        others.sort(
            key=lambda one: one.relation == "multiple" and _may_be_zero(one.least)
        )
        if len(others) < _MANY:
            yield from (demand_of(one, self.known) for one in others)
            return
        sorts: dict[tuple[str, Expr | None], list[Required]] = {}
        few = len({(one.relation, _whose(one.least)) for one in others}) < _MANY
        for one in others:
            sort = one.relation, _whose(one.least) if few else None
            sorts.setdefault(sort, []).append(one)
        for found in sorts.values():
            if len(found) == 1:
                yield demand_of(found[0], self.known)
            else:
                tests = tuple(test_of(one, self.known) for one in found)
                yield Logic("or", tests), together(found)

    def _may_be_empty(self, number: Number) -> bool:
        items, _ = number
        return isinstance(items, Starred) and self.known.may_be_empty(items)

    def _at_least(self, numbers: Sequence[Number], least: Expr) -> Iterator[Demand]:
        """That numbers are at least another, those apart that are computed from others."""
        late = [one for one in numbers if asks_for(one[0], self.late)]
        soon = [one for one in numbers if one not in late]
        yield from at_least(soon, least, self.copies)
        yield from at_least(late, least, self.copies)

    def _lengths(self) -> Iterator[Demand]:
        """How long lists are: those that are not empty, before their items are compared with other numbers."""
        longer = {
            code
            for least, numbers in self.lengths.items()
            for code, _ in numbers
            if self.known.at_least(least, lit(1))
        }
        known = [
            one for one in self.numbers if is_length(one[0]) and one[0] not in longer
        ]
        yield from self._at_least(known, lit(1))
        fixed = [least for least in self.lengths if isinstance(least, Literal)]
        for least in sorted(self.lengths, key=lambda one: one not in fixed):
            yield from self._at_least(self.lengths[least], least)


def _unused(plan: ClassPlan, taken: Signature) -> Mapping[str, Value]:
    """The params that no layer of a network needs, so that it has them by the values that it was compiled with."""
    if plan.scope.kind != "network":
        return {}
    return {
        name: plan.first.params[name]
        for name, param in plan.scope.params.items()
        if name not in taken.all and not is_computed(param.default)
    }


def _may_be_zero(divisor: Expr) -> bool:
    """Whether a number may be 0 though all arguments are sizes: it is divided by after what is demanded of them."""
    return any(
        isinstance(part, Binary) and part.op in ("//", "-", "%")
        for part in walk(divisor)
    )


def _whose(code: Expr) -> Expr:
    """The list that a number is an item of, or the number."""
    return code.value if isinstance(code, Subscript) else code


def _is_bounded(param: Param) -> bool:
    return param.min is not None and param.min >= 1


def _is_positive(plan: ClassPlan, name: str) -> bool:
    """Whether the compiled value is at least 1, or a list that is not empty: -1 may stand for another size."""
    value = plan.first.params[name]
    if isinstance(value, tuple):
        return bool(value)
    return isinstance(value, int) and value >= 1


def _least(plan: ClassPlan, name: str) -> tuple[Expr, str]:
    """The number that is at least 1, and how a message names it: the length of a list."""
    if isinstance(plan.first.params[name], tuple):
        return call("len", name_code(name)), f"len({name})"
    return name_code(name), name
