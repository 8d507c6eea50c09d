"""What numbers must be for layers to be built: sizes at least 1, lists as long as what is read of them.

A number that a layer is built with is followed from the class where its formula stands to the constructor of the
network, with the conditions under which the layer is there and the copies that it has. What the bounds of the arguments
do not prove there becomes a demand.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from math import inf
from typing import Any
from typing import Literal as OneOf

from compiler.codegen.python import (
    Binary,
    Call,
    Compare,
    Comprehension,
    Conditional,
    Expr,
    Literal,
    Logic,
    Name,
    Placeholder,
    Slice,
    Starred,
    Subscript,
    Unary,
    call,
    lit,
)
from compiler.codegen.traversal import children, filled, placeholders
from compiler.dataclass import dataclass
from compiler.ir.graph import Alternatives, Node, Scope
from compiler.ir.module import ScopeName
from compiler.ir.typed import TypedNode
from compiler.lower.build_sites import BuildSite, BuildSites, build_sites, in_builder
from compiler.lower.class_ir import ClassIR
from compiler.lower.class_plan import ClassPlan, Run
from compiler.lower.code_bounds import (
    Bounds,
    difference,
    is_always_zero,
    is_multiple,
)
from compiler.lower.constructors import Constructors
from compiler.lower.evaluate_code import folded_numbers
from compiler.lower.parted import Parted, Unwritten
from compiler.lower.scope_code import size_code, value_code
from compiler.op.arg_types import sized
from compiler.op.op import Op
from compiler.op.op import arguments as op_arguments
from compiler.symbolic.dims import Dim
from compiler.symbolic.intervals import Interval
from compiler.symbolic.symbol_table import COUNTER
from compiler.symbolic.symbols import InputDim, ListItem, ParamNumber

_Alternative = tuple[tuple[Expr, ...], object, Mapping[str, Any]]
"""What a layer may be: the conditions under which it is, its target, and its arguments."""

_Relation = OneOf["least", "multiple", "not", "equal"]

MOST_STEPS = 10_000
"""Steps from a class to one that builds it, for all numbers of a file."""


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
            it must be another number.
        copies: of which each requires it, outer ones first.
        counts: tests of numbers of copies, such as `n > 0`, without which nothing is required.
        default: the param that is computed from it where it is not given; "" for none.
    """

    code: Expr
    least: Expr
    conditions: tuple[Expr, ...] = ()
    relation: _Relation = "least"
    copies: tuple[Copies, ...] = ()
    counts: tuple[Expr, ...] = ()
    default: str = ""

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


def required_numbers(
    classes: Sequence[ClassIR], constructors: Constructors
) -> dict[int, list[Required]]:
    """What each class requires of its arguments that nothing which builds it requires, by the identity of its plan."""
    return _Requirements(classes, constructors).found()


class _Requirements:
    """Follows what layers require to the constructors that refuse what does not do."""

    def __init__(self, classes: Sequence[ClassIR], constructors: Constructors) -> None:
        self._classes, self._constructors = classes, constructors
        self._sites: BuildSites = build_sites(classes)
        self._recursive = _recursive(self._sites)

    def found(self) -> dict[int, list[Required]]:
        """By the identity of each plan, what is required there."""
        scopes = {id(ir.plan.scope) for ir in self._classes}
        waiting = [
            (ir.plan, one)
            for ir in reversed(self._classes)
            for one in _required(ir.plan, scopes)
        ]
        known = {(id(plan), one) for plan, one in waiting}
        found: dict[int, list[Required]] = {}
        steps = 0
        while waiting and steps < MOST_STEPS:
            steps += 1
            plan, one = waiting.pop()
            if _is_proven(one, plan):
                continue
            lifted = list(self._lifted(plan, one))
            if plan.scope.kind == "network" or None in lifted:
                found.setdefault(id(plan), []).append(one)
                continue
            for outer, each in filter(None, lifted):
                if (id(outer), each) not in known:
                    known.add((id(outer), each))
                    waiting.append((outer, each))
        for ir in self._classes:
            if ir.plan.scope.kind != "network" and id(ir.plan) in found:
                found[id(ir.plan)] = [
                    one
                    for one in found[id(ir.plan)]
                    if not self._is_required_anyway(ir.plan, one, known)
                ]
        return found

    def _is_required_anyway(
        self, plan: ClassPlan, one: Required, known: Collection[tuple[int, Required]]
    ) -> bool:
        """Whether what builds a class always requires what the class does under a condition."""
        always = replace(one, conditions=(), counts=())
        if always == one:
            return False
        return all(
            found is not None
            and ((id(found[0]), found[1]) in known or _is_proven(found[1], found[0]))
            for found in self._lifted(plan, always)
        )

    def _lifted(
        self, plan: ClassPlan, one: Required
    ) -> Iterator[tuple[ClassPlan, Required] | None]:
        """A requirement of a class in the names of all that builds it; None where these do not say what the number is.

        They do not where the class builds itself.
        """
        for site in self._sites.get(id(plan), ()):
            if id(plan) in self._recursive:
                yield None
                continue
            tests: list[Expr] = []
            for test, other, runs in self._constructors.choices(
                site.construct, site.ir
            ):
                under = tests if test is None else [*tests, test]
                if other is plan:
                    yield from self._at_site(plan, one, site, runs, under)
                if test is not None:
                    tests = [*tests, negated(test)]

    def _at_site(
        self,
        plan: ClassPlan,
        one: Required,
        site: BuildSite,
        runs: Sequence[Run],
        choice: Sequence[Expr],
    ) -> Iterator[tuple[ClassPlan, Required] | None]:
        """A requirement of what is built in one place."""
        outer, node = site.ir.plan, site.held.typed.node
        if one.default:
            if plan.scope.kind != "group" and one.default in runs[0].node.arguments:
                return
            if plan.scope.kind != "group":
                one = replace(one, default="")

        def size(name: str) -> Expr | None:
            with suppress(Parted, Unwritten):
                return self._constructors.argument(
                    site.construct, plan, runs, name, site.ir
                )
            return None

        codes: dict[Expr, Expr] = {}
        for code in one.codes:
            found = in_builder(code, plan, runs, size)
            if found is None:
                yield None
                return
            codes[code] = found
        told = one.each(lambda code: folded_numbers(codes[code]))
        when = _built_when(outer, node.name)
        under = dict.fromkeys((*_chosen_where(outer, node.name, runs), *choice))
        told = replace(told, conditions=(*under, *told.conditions))
        count = None
        if site.held.copies and node.layer.repeat is not None:
            count = value_code(node.layer.repeat.count)
        for each in _of_copies(told, count):
            conditions = [*when, *each.conditions]
            if lit(False) not in conditions:
                left = tuple(one for one in conditions if one != lit(True))
                yield outer, replace(each, conditions=left)


def _is_proven(one: Required, plan: ClassPlan) -> bool:
    """Whether the form of a number shows that it is large enough: a size of an input is at least 1."""
    if one.relation == "multiple":
        return is_multiple(one.code, one.least)
    if one.relation == "equal":
        return is_always_zero(difference(one.code, one.least))
    names = {
        key
        for code in (one.code, one.least)
        for key in placeholders(code)
        if isinstance(key, ScopeName)
        and key.name not in plan.scope.environment.params
        and key.name != COUNTER
    }
    least = lit(1) if one.relation == "not" else one.least
    sizes = dict.fromkeys(map(Placeholder, names), (1, inf))
    return Bounds(sizes | indices_of(one)).at_least(one.code, least)


def indices_of(one: Required) -> dict[Expr, Interval]:
    """The bounds of the numbers of copies."""
    return {Placeholder(copies.index): (copies.first, inf) for copies in one.copies}


def _recursive(sites: BuildSites) -> set[int]:
    """The plans of classes that build themselves, or stand between such, by identity."""
    builders = {key: {id(x.ir.plan) for x in found} for key, found in sites.items()}
    built: dict[int, set[int]] = {}
    for key, found in builders.items():
        for one in found:
            built.setdefault(one, set()).add(key)
    return _left(builders, built) & _left(built, builders)


def _left(before: Mapping[int, set[int]], after: Mapping[int, set[int]]) -> set[int]:
    """What is left when all is taken away before which nothing is, again and again."""
    waits = {key: len(found) for key, found in before.items()}
    free = [key for key in after if key not in before]
    while free:
        for key in after.get(free.pop(), ()):
            waits[key] -= 1
            if not waits[key]:
                free.append(key)
    return {key for key, number in waits.items() if number}


def _is_open(one: Required) -> bool:
    """Whether names decide it."""
    codes = (one.code, one.least)
    return any(isinstance(key, ScopeName) for x in codes for key in placeholders(x))


# What the layers of a class require.


def _required(plan: ClassPlan, classes: Collection[int]) -> Iterator[Required]:
    """What the layers of a class require; what some require always is not required under a condition, too.

    `classes` are the scopes that have one: a group that has none is a part of the class around it.
    """
    found = dict.fromkeys((*_of_inputs(plan), *_of_defaults(plan), *_of_sizes(plan)))
    found |= {
        one: None
        for name, typed in plan.layers.items()
        for one in _of_layer(
            typed, _built_when(plan, name), _alternatives(plan, name), classes
        )
    }
    for one in found:
        always = replace(one, conditions=(), counts=())
        if _is_open(one) and (always == one or always not in found):
            yield one


def _of_inputs(plan: ClassPlan) -> Iterator[Required]:
    """The sizes of a network's inputs that params decide: each is at least 1."""
    if plan.scope.kind != "network":
        return
    for kind in plan.first.inputs.values():
        for size in kind.shape if kind is not None else ():
            if all(isinstance(one, ParamNumber | ListItem) for one in size.symbols):
                yield Required(size_code(size), lit(1))


def _of_defaults(plan: ClassPlan) -> Iterator[Required]:
    """What params require from which others are computed that are not given."""
    if plan.scope.kind == "group":
        return
    for name, param in plan.scope.params.items():
        given = plan.scope.kind == "network" and name in plan.first.given
        if param.default is not None and not given:
            for code in _items(param.default):
                for one in _worked_out(code, ()):
                    yield replace(one, default=name)


def _of_sizes(plan: ClassPlan) -> Iterator[Required]:
    """The sizes that layers need to be multiples of others, or at least others."""
    found: dict[tuple[Dim, Dim, Hashable, _Relation], None] = {}
    for use in plan.uses:
        found |= dict.fromkeys((*x, "multiple") for x in use.context.multiples)
        found |= dict.fromkeys((*x, "least") for x in use.context.leasts)
        found |= dict.fromkeys((*x, "equal") for x in use.context.equals)
        found |= dict.fromkeys((*x, "not") for x in use.context.unequals)
    # By identity: a group shares what is known of sizes with the scope around it, which may have a layer of that name.
    conditions = {
        id(node): under
        for name in plan.scope.nodes
        for under, node in _possible(plan.scope, name)
    }
    for size, other, node, relation in found:
        symbols = size.symbols | other.symbols
        if (
            isinstance(node, Node)
            and id(node) in conditions
            and all(
                isinstance(one, InputDim | ParamNumber | ListItem) for one in symbols
            )
        ):
            codes = size_code(size), size_code(other)
            one = Required(*codes, conditions[id(node)], relation)
            when = _built_when(plan, node.name)
            if relation == "equal" and any(
                _says_equal(x, codes) for x in (*when, *one.conditions)
            ):
                continue
            repeat = node.layer.repeat
            count = None if repeat is None else value_code(repeat.count)
            yield from _under(when, _of_copies(one, count))


def _says_equal(condition: Expr, pair: tuple[Expr, Expr]) -> bool:
    """Whether a condition holds only where two numbers are equal."""
    match condition:
        case Logic("and", parts):
            return any(_says_equal(part, pair) for part in parts)
        case Compare("==", left, right):
            return pair in ((left, right), (right, left))
    return False


def _built_when(plan: ClassPlan, layer: str) -> tuple[Expr, ...]:
    """The condition under which a layer is built; nothing if it always is."""
    when = plan.built_when(layer)
    return () if when is None else (value_code(when),)


def _of_layer(
    typed: TypedNode,
    when: tuple[Expr, ...],
    alternatives: Iterable[_Alternative],
    classes: Collection[int],
) -> Iterator[Required]:
    layer = typed.node.layer
    count = None
    if layer.repeat is not None:
        count = value_code(layer.repeat.count)
        least = min(len(layer.repeat.stack) + len(layer.repeat.collect), 1)
        yield Required(count, lit(least), when)
        yield from _worked_out(count, when)
    for condition in when:
        yield from _worked_out(condition, ())
    if typed.node.shared:
        return
    for conditions, target, arguments in alternatives:
        under = *when, *conditions
        for argument, value in arguments.items():
            sizes = [*_least(target, argument)]
            for code in _items(value):
                asked = [Required(code, lit(least)) for least in sizes]
                for one in (*_worked_out(code, ()), *asked):
                    yield from _under(under, _of_copies(one, count))
    inside = typed.calls[0].instance if typed.calls else None
    if inside is None or inside.scope.kind != "group" or id(inside.scope) in classes:
        return
    for part in inside.nodes.values():
        own = ((), part.target, part.arguments)
        for one in _of_layer(part, (), [own], classes):
            yield from _under(when, _of_copies(one, count))


def _under(
    conditions: tuple[Expr, ...], required: Iterable[Required]
) -> Iterator[Required]:
    """What is required, under more conditions."""
    for one in required:
        yield replace(one, conditions=(*conditions, *one.conditions))


def _items(value: object) -> Iterator[Expr]:
    """The numbers that an argument is written with."""
    if isinstance(value, tuple | list):
        for item in value:
            yield from _items(item)
    elif value is not None and not isinstance(value, dict):
        yield value_code(value)


def _least(target: object, argument: str) -> Iterator[int]:
    """The least value of an argument of an op that is a size."""
    if isinstance(target, type) and issubclass(target, Op):
        marker = sized(op_arguments(target)[argument][0])
        if marker is not None and marker.least is not None and not marker.symbolic:
            yield marker.least


def _alternatives(plan: ClassPlan, name: str) -> Iterator[_Alternative]:
    """What a layer may be: under which conditions, and its arguments."""
    if not isinstance(plan.scope.nodes[name].target, Alternatives):
        typed = plan.layers[name]
        yield (), typed.target, typed.arguments
        return
    seen = {id(run.node.node): run.node for run in plan.runs(name)}
    for conditions, node in _possible(plan.scope, name):
        if id(node) in seen:
            typed = seen[id(node)]
            yield conditions, typed.target, typed.arguments


def _possible(scope: Scope, name: str) -> Iterator[tuple[tuple[Expr, ...], Node]]:
    """What a layer is, or may be, and under which conditions."""
    node = scope.nodes[name]
    if not isinstance(node.target, Alternatives):
        yield (), node
        return
    before: tuple[Expr, ...] = ()
    for condition, one in zip(node.target.conditions, node.target.nodes, strict=True):
        own = () if condition is None else (value_code(condition),)
        yield (*before, *own), one
        before = (*before, *map(negated, own))


def _chosen_where(plan: ClassPlan, name: str, runs: Sequence[Run]) -> tuple[Expr, ...]:
    """The conditions under which a layer that is one of several is the one that some runs are of."""
    nodes = {id(run.node.node) for run in runs}
    found = [under for under, node in _possible(plan.scope, name) if id(node) in nodes]
    return found[0] if len(found) == 1 else ()


def _worked_out(code: Expr, conditions: tuple[Expr, ...]) -> Iterator[Required]:
    """What working out a formula requires: lists as long as what is read of them, and no division by 0."""
    for part, under in _evaluated(code, conditions):
        match part:
            case Subscript(Placeholder(ScopeName()) as items, (index,)):
                if not isinstance(index, Slice):
                    yield from _read(items, index, under)
            case Binary("//" | "%" | "/", _, divisor) if not isinstance(
                divisor, Literal
            ):
                yield Required(_under_root(divisor), lit(0), under, "not")


def _under_root(code: Expr) -> Expr:
    """What a square root is of, which is 0 where the root is."""
    match code:
        case Call(Name("math.sqrt"), (number,)):
            return number
    return code


def _read(items: Expr, index: Expr, conditions: tuple[Expr, ...]) -> Iterator[Required]:
    """How long a list must be for an item of it to be there: an index below 0 counts from its end."""
    length = call("len", items)
    match index:
        case Unary("-", Literal(int(number))):
            yield Required(length, lit(number), conditions)
            return
        case Literal(int(number)):
            yield Required(length, lit(number + 1), conditions)
            return
    yield Required(length, Binary("+", index, lit(1)), conditions)
    yield Required(Binary("+", length, index), lit(0), conditions)


def _of_copies(one: Required, count: Expr | None) -> Iterator[Required]:
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


def _evaluated(
    code: Expr, conditions: tuple[Expr, ...]
) -> Iterator[tuple[Expr, tuple[Expr, ...]]]:
    """The parts of code, each with the conditions under which it is worked out."""
    waiting: list[tuple[Any, tuple[Expr, ...]]] = [(code, conditions)]
    while waiting:
        part, under = waiting.pop()
        if not isinstance(part, Slice):
            yield part, under
        match part:
            case Conditional(test, body, orelse):
                waiting.append((orelse, (*under, negated(test))))
                waiting += [(body, (*under, test)), (test, under)]
            case Logic(op, items):
                before = under
                for item in items:
                    waiting.append((item, before))
                    before = (*before, item if op == "and" else negated(item))
            case Comprehension():
                continue
            case _:
                waiting += [(child, under) for child in reversed(children(part))]
