"""What the layers of all classes require of numbers, in the names of the constructors that refuse others.

A number that a layer is built with is followed from the class where its formula stands to the constructor of the
network, with the conditions under which the layer is there and the copies that it has. What the bounds of the arguments
do not prove there becomes a demand.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from math import inf

from compiler.codegen.python import Expr, Placeholder, lit
from compiler.codegen.traversal import placeholders
from compiler.ir.module import ScopeName
from compiler.ir.typed import walk_instances
from compiler.language.initializers import Initializer
from compiler.lower.build_sites import BuildSite, BuildSites, build_sites, in_builder
from compiler.lower.class_ir import ClassIR
from compiler.lower.class_plan import ClassPlan, Run
from compiler.lower.class_requirements import (
    built_when,
    chosen_where,
    of_rule,
    requirements,
)
from compiler.lower.code_bounds import Bounds, difference, is_always_zero, is_multiple
from compiler.lower.constructors import Constructors
from compiler.lower.evaluate_code import folded_numbers
from compiler.lower.parted import Parted, Unwritten
from compiler.lower.required import FLOATS, Required, indices_of, negated, of_copies
from compiler.lower.scope_code import value_code
from compiler.symbolic.symbol_table import COUNTER

MOST_STEPS = 10_000
"""Steps from a class to one that builds it, for all numbers of a file."""


def required_numbers(
    classes: Sequence[ClassIR],
    constructors: Constructors,
    rules: Mapping[str, Mapping[str, Initializer]],
) -> dict[int, list[Required]]:
    """What each class requires of its arguments that nothing which builds it requires, by the identity of its plan.

    `rules` are those by which a file initialises its tensors, by op: they are of its networks.
    """
    found = _Requirements(classes, constructors).found()
    for ir in classes:
        if ir.plan.scope.kind == "network":
            found.setdefault(id(ir.plan), []).extend(_of_rules(ir.plan, rules))
    return found


def _of_rules(
    plan: ClassPlan, rules: Mapping[str, Mapping[str, Initializer]]
) -> Iterator[Required]:
    """What the rules of a file require of the params of a network that has layers of their ops."""
    nodes = (
        node for one in walk_instances([plan.first]) for node in one.nodes.values()
    )
    ops = {call.op.name for node in nodes for call in node.calls if call.op is not None}
    for op in sorted(rules.keys() & ops):
        for rule in rules[op].values():
            yield from of_rule(rule)


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
            for one in requirements(ir.plan, scopes)
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
        when = built_when(outer, node.name)
        under = dict.fromkeys((*chosen_where(outer, node.name, runs), *choice))
        told = replace(told, conditions=(*under, *told.conditions))
        count = None
        if site.held.copies and node.layer.repeat is not None:
            count = value_code(node.layer.repeat.count)
        for each in of_copies(told, count):
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
    if one.relation in FLOATS:
        return False
    least = lit(1) if one.relation == "not" else one.least
    sizes = dict.fromkeys(map(Placeholder, names), (1, inf))
    return Bounds(sizes | indices_of(one)).at_least(one.code, least)


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
