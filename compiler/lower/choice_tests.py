"""By which conditions a copy has one of several classes that differ in what `choose` says of their layers."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from compiler.codegen.python import Expr, Logic, Placeholder, Unary
from compiler.codegen.traversal import filled, placeholders
from compiler.ir.graph import Alternatives, Scope
from compiler.ir.module import ScopeName
from compiler.lower.class_plan import ClassPlan, Run, alike, chosen
from compiler.lower.scope_code import value_code

Plans = Sequence[tuple[ClassPlan, Sequence[Run]]]
Tests = list[tuple[Expr | None, ClassPlan, Sequence[Run]]]


def choice_tests(plans: Plans) -> Tests | None:
    """The classes with their conditions, in the names of the caller: the first that holds is that of a copy.

    None where they do not differ in one layer that `choose` is of, or its conditions are of what a caller cannot say.
    """
    scope = plans[0][0].scope
    picks = [[*chosen(plan.first)] for plan, _ in plans]
    if any(plan.scope is not scope for plan, _ in plans):
        return None
    differing = [
        n for n, found in enumerate(zip(*picks, strict=True)) if len({*found}) > 1
    ]
    if len(differing) != 1 or len({pick[differing[0]] for pick in picks}) < len(plans):
        return None
    (number,) = differing
    node = scope.nodes[scope.choices[number]]
    assert isinstance(node.target, Alternatives)
    by_pick = {pick[number]: one for pick, one in zip(picks, plans, strict=True)}
    names = _arguments(scope, plans[0][1])
    found: Tests = []
    before: list[Expr] = []
    for alternative, when in enumerate(node.target.conditions):
        code = None if when is None else _in_caller(value_code(when), scope, names)
        if when is not None and code is None:
            return None
        plan = by_pick.get(_class_of(node.target, alternative))
        if (
            plan is None
        ):  # no copy is this, and the conditions after it are as if it were not there
            before += [] if code is None else [Unary("not", code)]
            continue
        tests = [*before, *([] if code is None else [code])]
        before = []
        test = (
            tests[0]
            if len(tests) == 1
            else Logic("and", tuple(tests))
            if tests
            else None
        )
        found.append((test, *plan))
    return _closed(found)


def _closed(found: Tests) -> Tests:
    """The last class needs no condition."""
    (_, plan, runs), *_ = reversed(found)
    return [*found[:-1], (None, plan, runs)]


def _class_of(choice: Alternatives, alternative: int) -> int:
    """The first alternative that has the class of this one."""
    node = choice.nodes[alternative]
    return next(n for n, one in enumerate(choice.nodes) if alike(one, node))


def _arguments(scope: Scope, runs: Sequence[Run]) -> Mapping[str, Any]:
    """What the params of a block are given; a group has those of the scope around it."""
    return runs[0].node.arguments if scope.kind == "block" else {}


def _in_caller(code: Expr, scope: Scope, given: Mapping[str, Any]) -> Expr | None:
    """A condition of a block in the names of what calls it; None where it depends on more than arguments."""
    if scope.kind == "group":
        return code
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
