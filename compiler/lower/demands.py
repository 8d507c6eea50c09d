"""What the constructor of a network demands of its arguments: for other values the spec does not compile."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from compiler.codegen.python import Compare, Expr, call, lit
from compiler.codegen.traversal import placeholders
from compiler.diagnostics.text import listed
from compiler.infer.param_values import shown
from compiler.ir.module import ScopeName
from compiler.language.params import Param
from compiler.lower.class_plan import ClassPlan
from compiler.lower.scope_code import name_code, size_code, value_code

Demand = tuple[Expr, str]
"""A test that must not hold, and the message where it does."""

_LONGEST_TEST, _LONGEST_MESSAGE = 67, 56
"""Characters of what is compared, and of a message, that fit in a line."""


def equal_sizes(plan: ClassPlan) -> Iterator[Demand]:
    """Sizes of a network that layers took for equal by their values: they must be for other values, too."""
    if plan.scope.kind != "network":
        return
    for left, right in plan.first.context.decided:
        codes = size_code(left), size_code(right)
        names = {
            key.name
            for code in codes
            for key in placeholders(code)
            if isinstance(key, ScopeName)
        }
        if names and names <= set(plan.scope.params):
            yield Compare("!=", *codes), f"{left} and {right} must be equal"


def bounds(
    plan: ClassPlan, taken: Collection[str], positive: Collection[str]
) -> Iterator[Demand]:
    """The bounds of the arguments that a network takes: those declared, then those that are at least 1."""
    found = [
        (name, param) for name, param in plan.scope.params.items() if name in taken
    ]
    for name, param in found:
        yield from _declared(name, param)
    free = [
        name
        for name, param in found
        if name in positive and not _is_bounded(param) and _is_positive(plan, name)
    ]
    line: list[tuple[Expr, str]] = []
    for name in free:
        least = _least(plan, name)
        if line and len(", ".join(x for _, x in [*line, least])) > _LONGEST_TEST:
            yield _at_least_one(line)
            line = []
        line.append(least)
    if line:
        yield _at_least_one(line)


def _at_least_one(numbers: list[tuple[Expr, str]]) -> Demand:
    """That several numbers are at least 1, in one line; the message names them if it has the place."""
    codes = [code for code, _ in numbers]
    code = codes[0] if len(codes) == 1 else call("min", *codes)
    *others, last = (text for _, text in numbers)
    message = f"{', '.join(others)} and {last}" if others else last
    if len(message) + len(_AT_LEAST) > _LONGEST_MESSAGE:
        message = "all sizes"
    return Compare("<", code, lit(1)), message + _AT_LEAST


_AT_LEAST = " must be at least 1"


def _declared(name: str, param: Param) -> Iterator[Demand]:
    """What a param says of its values itself."""
    place = name_code(name)
    if param.min is not None:
        yield (
            Compare("<", place, lit(param.min)),
            f"{name} must be at least {param.min}",
        )
    if param.max is not None:
        yield Compare(">", place, lit(param.max)), f"{name} must be at most {param.max}"
    if param.choices is not None:
        test = Compare("not in", place, value_code(tuple(param.choices)))
        yield test, f"{name} must be one of {listed(map(shown, param.choices))}"


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
