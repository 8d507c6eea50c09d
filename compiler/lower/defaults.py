"""The defaults of a class's params: values, or expressions over the other params."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from compiler.codegen.python import Compare, Name, lit
from compiler.codegen.statements import Assign, If, Stmt
from compiler.expr.syntax import names_in
from compiler.lower.constructors import value_code
from compiler.lower.writer import ClassWriter
from compiler.op.arg_types import Formula


def default_of(writer: ClassWriter, name: str) -> Any:
    """The default of a param as the class sees it; None where it has none.

    A network has the values that it was compiled with, where these were given or are no
    expression.
    """
    plan = writer.plan
    if plan.scope.kind == "group":
        return None
    default = plan.scope.params[name].default
    given = plan.scope.kind == "network" and name in plan.first.given
    if given or (plan.scope.kind == "network" and not is_computed(default)):
        return plan.first.params[name]
    return default


def is_computed(default: Any) -> bool:
    """Whether a default depends on other params, so that no signature can hold it."""
    return any(names_in(formula.expr) for formula in _formulas(default))


def settle_needs(writer: ClassWriter) -> None:
    """Take in the params and dims that the defaults of needed ones are made of."""
    before = -1
    while before < len(writer.needs):
        before = len(writer.needs)
        for name in list(writer.needs):
            if name in writer.plan.scope.params:
                default = default_of(writer, name)
                if is_computed(default):
                    value_code(default, writer.in_init)


def resolved_defaults(writer: ClassWriter, params: list[str]) -> list[Stmt]:
    """`if hidden is None: hidden = 4 * d`, for defaults that are expressions."""
    lines: list[Stmt] = []
    for name in params:
        default = default_of(writer, name)
        if is_computed(default):
            place = Name(writer.argument_name(name))
            line = Assign((place,), value_code(default, writer.in_init))
            lines.append(If(Compare("is", place, lit(None)), (line,)))
    return lines


def _formulas(value: Any) -> Iterator[Formula]:
    if isinstance(value, Formula):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _formulas(item)
