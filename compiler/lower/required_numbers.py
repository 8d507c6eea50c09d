"""What numbers must be for layers to be built: sizes at least 1, lists as long as what is read of them.

A number that a layer is built with is followed from the class where its formula stands to the constructor of the
network. What the bounds of the arguments do not prove there becomes a demand.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from math import inf
from typing import Any

from compiler.codegen.python import (
    Binary,
    Compare,
    Conditional,
    Expr,
    Logic,
    Placeholder,
    Slice,
    Subscript,
    Unary,
    call,
    lit,
)
from compiler.codegen.traversal import children, placeholders
from compiler.dataclass import dataclass
from compiler.ir.graph import Alternatives, Node
from compiler.ir.module import ScopeName
from compiler.ir.typed import TypedNode
from compiler.lower.build_sites import BuildSites, build_sites, in_builder
from compiler.lower.class_ir import ClassIR
from compiler.lower.class_plan import ClassPlan
from compiler.lower.code_bounds import (
    Bounds,
    Linear,
    combine,
    is_multiple,
    linear_code,
    linear_form,
)
from compiler.lower.evaluate_code import folded_numbers
from compiler.lower.scope_code import size_code, value_code
from compiler.op.arg_types import sized
from compiler.op.op import Op
from compiler.op.op import arguments as op_arguments
from compiler.symbolic.symbol_table import COUNTER
from compiler.symbolic.symbols import InputDim, ParamNumber

_Known = tuple[int, "Required"]
"""The identity of a plan, and what its class requires."""

_Alternative = tuple[tuple[Expr, ...], object, Mapping[str, Any]]
"""What a layer may be: the conditions under which it is, its target, and its arguments."""

MOST_STEPS = 10_000
"""Steps from a class to one that builds it, for all numbers of a file."""


@dataclass(frozen=True)
class Required:
    """A number that must be at least another, where all conditions hold; in the names of a scope."""

    code: Expr
    least: Expr
    conditions: tuple[Expr, ...] = ()
    is_multiple: bool = False
    """Whether it must be a multiple of the other number, not at least that."""

    @property
    def codes(self) -> tuple[Expr, ...]:
        """All code that it is made of."""
        return self.code, self.least, *self.conditions

    @property
    def test(self) -> Expr:
        """The code that is true where the number is wrong."""
        wrong: Expr = Compare("<", self.code, self.least)
        if self.is_multiple:
            wrong = Compare("!=", Binary("%", self.code, self.least), lit(0))
        return Logic("and", (*self.conditions, wrong)) if self.conditions else wrong


def required_numbers(classes: Sequence[ClassIR]) -> dict[int, list[Required]]:
    """What each class requires of its arguments that nothing which builds it requires, by the identity of its plan."""
    sites = build_sites(classes)
    recursive = _recursive(sites)
    scopes = {id(ir.plan.scope) for ir in classes}
    waiting = [
        (ir.plan, one) for ir in reversed(classes) for one in _required(ir.plan, scopes)
    ]
    known = {(id(plan), one) for plan, one in waiting}
    found: dict[int, list[Required]] = {}
    steps = 0
    while waiting and steps < MOST_STEPS:
        steps += 1
        plan, one = waiting.pop()
        if _is_proven(one, plan):
            continue
        lifted = list(_lifted(plan, one, sites, recursive))
        if plan.scope.kind == "network" or None in lifted:
            found.setdefault(id(plan), []).append(one)
            continue
        for outer, each in filter(None, lifted):
            if (id(outer), each) not in known:
                known.add((id(outer), each))
                waiting.append((outer, each))
    for ir in classes:
        if ir.plan.scope.kind != "network" and id(ir.plan) in found:
            every = set(found[id(ir.plan)])
            found[id(ir.plan)] = [
                one
                for one in found[id(ir.plan)]
                if not (one.conditions and replace(one, conditions=()) in every)
                and not _is_required_anyway(ir.plan, one, sites, recursive, known)
            ]
    return found


def _is_required_anyway(
    plan: ClassPlan,
    one: Required,
    sites: BuildSites,
    recursive: Collection[int],
    known: Collection[_Known],
) -> bool:
    """Whether what builds a class always requires what the class does under a condition."""
    if not one.conditions:
        return False
    always = list(_lifted(plan, replace(one, conditions=()), sites, recursive))
    return all(
        found is not None
        and ((id(found[0]), found[1]) in known or _is_proven(found[1], found[0]))
        for found in always
    )


def _is_proven(one: Required, plan: ClassPlan) -> bool:
    """Whether the least value of a number shows that it is large enough: a size of an input is at least 1."""
    names = {
        key.name
        for code in (one.code, one.least)
        for key in placeholders(code)
        if isinstance(key, ScopeName) and key.name not in plan.scope.params
    }
    if one.is_multiple:
        return is_multiple(one.code, one.least)
    bounds = Bounds(dict.fromkeys(names - {COUNTER}, (1, inf)), {})
    return bounds.at_least(one.code, one.least)


def _lifted(
    plan: ClassPlan, one: Required, sites: BuildSites, recursive: Collection[int]
) -> Iterator[tuple[ClassPlan, Required] | None]:
    """A requirement of a class in the names of all that builds it; None where these do not say what the number is.

    They do not where the class builds itself.
    """
    for site in sites.get(id(plan), ()):
        outer = site.ir.plan
        codes = [in_builder(code, plan, site) for code in one.codes]
        told = [folded_numbers(code) for code in codes if code is not None]
        if len(told) < len(codes) or id(plan) in recursive:
            yield None
            continue
        node = site.held.typed.node
        layer, when = node.layer, _built_when(outer, node.name)
        code, least, *conditions = told
        if lit(False) in conditions:
            continue
        under = (*when, *(one for one in conditions if one != lit(True)))
        lifted = Required(code, least, under, one.is_multiple)
        count = None
        if site.held.copies and layer.repeat is not None:
            count = value_code(layer.repeat.count)
        for each in _of_all_copies(lifted, count, outer.scope.kind == "group"):
            yield outer, each


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
    in_group = plan.scope.kind == "group"
    found = dict.fromkeys(_multiples(plan))
    found |= {
        one: None
        for name, typed in plan.layers.items()
        for one in _of_layer(
            typed,
            _built_when(plan, name),
            _alternatives(plan, name),
            classes,
            in_group,
        )
    }
    for one in found:
        if not one.conditions or replace(one, conditions=()) not in found:
            yield one


def _multiples(plan: ClassPlan) -> Iterator[Required]:
    """The sizes that layers need to be multiples of others."""
    found = dict.fromkeys(key for use in plan.uses for key in use.context.multiples)
    nodes = plan.scope.nodes
    for size, divisor, node in found:
        symbols = size.symbols | divisor.symbols
        # A group shares what is known of sizes with the scope around it, which may have a layer of the same name.
        if (
            isinstance(node, Node)
            and nodes.get(node.name) is node
            and all(isinstance(one, InputDim | ParamNumber) for one in symbols)
        ):
            under = _built_when(plan, node.name)
            yield Required(size_code(size), size_code(divisor), under, is_multiple=True)


def _built_when(plan: ClassPlan, layer: str) -> tuple[Expr, ...]:
    """The condition under which a layer is built; nothing if it always is."""
    when = plan.built_when(layer)
    return () if when is None else (value_code(when),)


def _of_layer(
    typed: TypedNode,
    when: tuple[Expr, ...],
    alternatives: Iterable[_Alternative],
    classes: Collection[int],
    in_group: bool,
) -> Iterator[Required]:
    layer = typed.node.layer
    count = None
    if layer.repeat is not None:
        count = value_code(layer.repeat.count)
        least = min(len(layer.repeat.stack) + len(layer.repeat.collect), 1)
        for one in (Required(count, lit(least), when), *_lengths(count, when)):
            yield from _of_all_copies(one, None, in_group)
    if typed.node.shared:
        return
    for conditions, target, arguments in alternatives:
        under = *when, *conditions
        for argument, value in arguments.items():
            sizes = [*_least(target, argument)]
            for code in _items(value):
                asked = (Required(code, lit(least), under) for least in sizes)
                for one in (*_lengths(code, under), *asked):
                    yield from _of_all_copies(one, count, in_group)
    inside = typed.calls[0].instance if typed.calls else None
    if inside is None or inside.scope.kind != "group" or id(inside.scope) in classes:
        return
    for part in inside.nodes.values():
        own = ((), part.target, part.arguments)
        for one in _of_layer(part, (), [own], classes, in_group=True):
            under = *when, *one.conditions
            yield from _of_all_copies(replace(one, conditions=under), count, in_group)


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
    chosen = plan.scope.nodes[name].target
    if not isinstance(chosen, Alternatives):
        typed = plan.layers[name]
        yield (), typed.target, typed.arguments
        return
    seen = {id(run.node.node): run.node for run in plan.runs(name)}
    before: tuple[Expr, ...] = ()
    for condition, node in zip(chosen.conditions, chosen.nodes, strict=True):
        own = () if condition is None else (value_code(condition),)
        if id(node) in seen:
            typed = seen[id(node)]
            yield (*before, *own), typed.target, typed.arguments
        before = (*before, *(Unary("not", code) for code in own))


def _lengths(code: Expr, conditions: tuple[Expr, ...]) -> Iterator[Required]:
    """How long the lists must be of which a formula reads an item."""
    for part in _parts(code, always=True):
        match part:
            case Subscript(Placeholder(ScopeName()) as items, (index,)):
                if isinstance(index, Slice):
                    continue
                form = linear_form(index)
                rest = form.keys() - {None, _COUNTER}
                if not rest and form.get(_COUNTER, 0) >= 0:
                    first = form.get(None, 0)
                    last = first < 0 and _COUNTER not in form
                    most: Linear = {None: -2 * first if last else 1}
                    least = combine(form, most)
                    yield Required(call("len", items), linear_code(least), conditions)


_COUNTER: Expr = Placeholder(ScopeName(COUNTER))


def _of_all_copies(
    one: Required, count: Expr | None, in_group: bool
) -> Iterator[Required]:
    """What is required for every copy: of the first or the last, if the number grows or falls steadily.

    An item of a list stands for all of them, also for those at its end that no copy reads. In a group `i` counts the
    copies of the group.
    """
    if one.is_multiple:
        if _is_open(one) and not any(_COUNTER in _parts(code) for code in one.codes):
            yield one
        return
    if isinstance(one.code, Conditional):
        for part in _branches(one, one.code, count):
            yield from _of_all_copies(part, count, in_group)
        return
    if not _is_open(one) or any(_COUNTER in _parts(code) for code in one.conditions):
        return
    difference = combine(linear_form(one.code), linear_form(one.least), -1)
    steps = difference.get(_COUNTER, 0)
    nested = any(
        part is not None and part != _COUNTER and _COUNTER in _parts(part)
        for part in difference
    )
    item = isinstance(one.code, Subscript) and isinstance(one.code.value, Placeholder)
    if item and nested and count is not None:
        if isinstance(one.code, Subscript) and one.code.index == (_COUNTER,):
            yield one
        return
    if (count is None and in_group) or item or (steps == 0 and not nested):
        yield one
    elif count is not None and not nested:
        last = combine(linear_form(count), {None: -1})
        copy = last if steps < 0 else {}
        code, least = (_at_copy(part, copy) for part in (one.code, one.least))
        yield Required(code, least, one.conditions)


def _branches(
    one: Required, code: Conditional, count: Expr | None
) -> Iterator[Required]:
    """What is required of either branch; where copies differ in which they take, of the first one and of the others."""
    if _COUNTER in _parts(code.test):
        if code.test == Compare("==", _COUNTER, lit(0)):
            yield Required(_at_copy(code.body, {}), one.least, one.conditions)
            if count is not None:
                several = Compare(">", count, lit(1))
                yield Required(code.orelse, one.least, (*one.conditions, several))
        return
    tests = code.test, Unary("not", code.test)
    for test, branch in zip(tests, (code.body, code.orelse), strict=True):
        yield Required(branch, one.least, (*one.conditions, test))


def _at_copy(code: Expr, copy: Linear) -> Expr:
    """Code with the number of a copy in place of the counter."""
    form = linear_form(code)
    times = form.pop(_COUNTER, 0)
    return linear_code(combine(form, copy, times)) if times else code


def _parts(code: Expr, *, always: bool = False) -> Iterator[Expr]:
    """The parts of code; with `always` those alone that are worked out whatever its conditions come to."""
    waiting: list[Any] = [code]
    while waiting:
        part = waiting.pop()
        if not isinstance(part, Slice):
            yield part
        if always and isinstance(part, Conditional):
            waiting.append(part.test)
        elif always and isinstance(part, Logic):
            waiting.append(part.items[0])
        else:
            waiting += children(part)
