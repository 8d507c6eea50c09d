"""By which conditions a copy has one of several classes that differ in what `choose` says of their layers."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Sequence
from math import prod

from compiler.codegen.python import Expr, Logic, Placeholder, Unary
from compiler.codegen.traversal import filled, placeholders
from compiler.dataclass import dataclass
from compiler.ir.graph import Alternatives, Scope
from compiler.ir.module import ScopeName
from compiler.ir.typed import Instance
from compiler.lower.class_plan import ClassPlan, Run, chosen
from compiler.lower.evaluate_code import Unknown, value_of
from compiler.lower.further_copies import repeats_after
from compiler.lower.scope_code import value_code

Plans = Sequence[tuple[ClassPlan, Sequence[Run]]]
Tests = list[tuple[Expr | None, ClassPlan, Sequence[Run]]]


@dataclass(frozen=True)
class _Case:
    """What the layers in which the classes differ are in some copies, each by the number of its alternative."""

    picks: tuple[int, ...]
    number: int
    """The class of these copies, by its place among all."""


def choice_tests(plans: Plans) -> Tests | None:
    """The classes with their conditions, in the names of the caller: the first that holds is that of a copy.

    None where they do not differ in layers that `choose` is of, or its conditions are of what a caller cannot say.
    """
    layers = _differing(plans)
    codes = _conditions(plans, layers)
    if not layers or codes is None:
        return None
    tests: Tests = []
    cases = _cases(plans, layers)
    for place, case in enumerate(cases):
        later = [one for one in cases[place + 1 :] if one.number != case.number]
        test = _test(case, later, codes) if later else None
        tests.append((test, *plans[case.number]))
        if not later:
            break
    return tests


def settled(plans: Plans) -> frozenset[str]:
    """The layers for whose alternatives, in any combination, `choice_tests` has a class."""
    layers = _differing(plans)
    if not layers or choice_tests(plans) is None:
        return frozenset()
    scope = plans[0][0].scope
    every = prod(len(_choice(scope, layer).nodes) for layer in layers)
    found = {case.picks for case in _cases(plans, layers)}
    return frozenset(layers) if len(found) == every else frozenset()


def settled_for_copies(plans: Plans, undecided: Collection[str]) -> bool:
    """Whether more copies need no other class, nor other alternatives of layers of which a class has not all."""
    tell = _differing(plans)
    if len(plans) > 1 and choice_tests(plans) is None:
        return False
    codes = _conditions(plans, [*dict.fromkeys((*tell, *undecided))])
    if codes is None:
        return False
    tests = [[code for code in found if code is not None] for found in codes]
    return nothing_new(tests, [run for _, runs in plans for run in runs])


def nothing_new(
    tests: Sequence[Sequence[Expr]], runs: Sequence[Run], further: int = 0
) -> bool:
    """Whether no copy, however many there are, has a combination of outcomes that none of the first has.

    Args:
        tests: conditions in the names of the caller, of each list the first that holds.
        runs: the copies that there are.
        further: how many after them are known as well.
    """
    uses = {id(run.use): run.use for run in runs}
    for use in uses.values():
        known = {copy for run in runs if run.use is use for copy in run.copies}
        known |= {max(known) + 1 + n for n in range(further)}
        end = repeats_after((code for found in tests for code in found), use)
        if end is None:
            return False
        try:
            seen = {_picked(tests, use, copy) for copy in known}
            if any(_picked(tests, use, copy) not in seen for copy in range(end)):
                return False
        except Unknown:  # in a copy that is not there
            return False
    return True


def _picked(
    tests: Sequence[Sequence[Expr]], use: Instance, copy: int
) -> tuple[int, ...]:
    """Which condition of each list holds first in a copy; -1 where none does."""
    return tuple(
        next((n for n, test in enumerate(found) if value_of(test, use, copy)), -1)
        for found in tests
    )


def _differing(plans: Plans) -> list[str]:
    """The layers of which the classes have different alternatives; none where these do not tell all classes apart."""
    scope = plans[0][0].scope
    if any(plan.scope is not scope for plan, _ in plans):
        return []
    picks = [tuple(chosen(plan.first)) for plan, _ in plans]
    if len({*picks}) < len(plans) or any(-1 in found for found in picks):
        return []
    columns = zip(scope.choices, zip(*picks, strict=True), strict=True)
    return [layer for layer, found in columns if len({*found}) > 1]


def _choice(scope: Scope, layer: str) -> Alternatives:
    target = scope.nodes[layer].target
    assert isinstance(target, Alternatives)
    return target


def _cases(plans: Plans, layers: Sequence[str]) -> list[_Case]:
    """What the layers are together in the copies that there are, alternatives that come first before others."""
    scope = plans[0][0].scope
    numbers = {
        layer: {id(node): n for n, node in enumerate(_choice(scope, layer).nodes)}
        for layer in layers
    }

    def picked(run: Run) -> Iterator[int]:
        assert run.call.instance is not None
        for layer in layers:
            yield numbers[layer][id(run.call.instance.nodes[layer].node)]

    found = {
        _Case(tuple(picked(run)), number)
        for number, (_, runs) in enumerate(plans)
        for run in runs
    }
    return sorted(found, key=lambda case: (case.picks, case.number))


def _test(
    case: _Case, later: Sequence[_Case], codes: Sequence[Sequence[Expr | None]]
) -> Expr:
    """That a copy is a case, and none of the later ones: no more of its conditions than that takes."""
    rest = list(later)
    tests: list[Expr] = []
    for layer, pick in enumerate(case.picks):
        code = codes[layer][pick]
        left = [one for one in rest if one.picks[layer] <= pick]
        if code is not None and len(left) < len(rest):
            tests.append(code)
            rest = left
    for layer, pick in enumerate(case.picks):
        for before in range(pick):
            code = codes[layer][before]
            left = [one for one in rest if one.picks[layer] != before]
            if code is not None and len(left) < len(rest):
                tests.append(Unary("not", code))
                rest = left
    return tests[0] if len(tests) == 1 else Logic("and", tuple(tests))


def _conditions(plans: Plans, layers: Sequence[str]) -> list[list[Expr | None]] | None:
    """The conditions of the alternatives of each layer, in the names of the caller; None for the last alternative.

    None where a caller cannot say one of them.
    """
    plan, runs = plans[0]
    found: list[list[Expr | None]] = []
    for layer in layers:
        codes = [
            None if when is None else _in_caller(value_code(when), plan, runs)
            for when in _choice(plan.scope, layer).conditions
        ]
        if None in codes[:-1]:
            return None
        found.append(codes)
    return found


def _in_caller(code: Expr, plan: ClassPlan, runs: Sequence[Run]) -> Expr | None:
    """A condition of a block in the names of what calls it; None where it depends on more than arguments."""
    if plan.scope.kind == "group":
        return code
    given = runs[0].node.arguments
    keys = list(placeholders(code))
    if any(not isinstance(key, ScopeName) or key.name not in given for key in keys):
        return None

    def fill(key: Hashable) -> Expr:
        return (
            value_code(given[key.name])
            if isinstance(key, ScopeName)
            else Placeholder(key)
        )

    return filled(code, fill)
