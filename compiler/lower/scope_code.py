"""Sizes and values of the spec as code, in the names of a scope."""

from __future__ import annotations

from typing import Any

from compiler.codegen.python import (
    Binary,
    Expr,
    Placeholder,
    TupleExpr,
    Unary,
    lit,
)
from compiler.ir.module import ScopeName, ScopeNumber
from compiler.lower.class_plan import ClassPlan
from compiler.lower.parted import Unwritten
from compiler.lower.to_python import to_python
from compiler.op.arg_types import Formula
from compiler.symbolic.dims import Dim
from compiler.symbolic.symbol_table import COUNTER
from compiler.symbolic.symbols import CopyNumber, EllipsisDim, Opaque, Symbol


def name_code(name: str) -> Expr:
    """A name of the scope as code."""
    return Placeholder(ScopeName(name))


class PythonNotation:
    """The notation of Python, with placeholders for the names of the scope."""

    def number(self, value: int) -> Expr:
        return lit(value)

    def negative(self, operand: Expr) -> Expr:
        return Unary("-", operand)

    def binary(self, operator: str, left: Expr, right: Expr) -> Expr:
        return Binary(operator, left, right)

    def symbol(self, symbol: Symbol) -> Expr:
        if isinstance(symbol, EllipsisDim):
            return Placeholder(ScopeNumber(symbol))
        if isinstance(symbol, CopyNumber) and symbol.owner:
            return Placeholder(ScopeNumber(symbol))
        if isinstance(symbol, Opaque) and symbol.counter is not None:
            own: Expr = Placeholder(ScopeNumber(symbol.counter))
            return to_python(
                symbol.expr, lambda name: own if name == COUNTER else name_code(name)
            )
        return to_python(symbol.expr, name_code)


def size_code(size: Dim) -> Expr:
    """A size in the names of the scope as code."""
    return size.written(PythonNotation())


def value_code(value: Any) -> Expr:
    """A value of the spec as code: a formula, a literal or a list of them; of sizes with names the sizes."""
    if isinstance(value, Formula):
        return to_python(value.expr, name_code)
    if isinstance(value, dict):
        value = tuple(value.values())
    if isinstance(value, tuple | list):
        return TupleExpr(tuple(map(value_code, value)))
    return lit(value)


def own_counter(plan: ClassPlan) -> Symbol | None:
    """What `i` is in a group: the number of its own copy, or of one of a group around it."""
    number = plan.first.names.get(COUNTER)
    return number.alone if isinstance(number, Dim) else None


def name_of(number: ScopeNumber, plan: ClassPlan) -> str:
    """The name by which an object of a class has a number that no input tells.

    Raises:
        Unwritten: where it has none.
    """
    if isinstance(number.symbol, EllipsisDim):
        reason = "a dimension behind `...` is needed where no input tells it"
        raise Unwritten(plan, "", reason)
    if number.symbol is not own_counter(plan):
        reason = "the number of a copy is needed where `i` is another one"
        raise Unwritten(plan, "", reason)
    return COUNTER
