"""Expressions of the spec language as Python."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from compiler.codegen.python import (
    Binary,
    Call,
    Compare,
    Comprehension,
    Expr,
    Logic,
    Name,
    Placeholder,
    Slice,
    TupleExpr,
    Unary,
    call,
    lit,
    subscript,
)
from compiler.expr import syntax
from compiler.ir.module import InputName
from compiler.lower.evaluate_code import either_of, number_code
from compiler.symbolic.evaluate import evaluate

Resolve = Callable[[str], Expr]
"""The Python of a name: a param, a dimension, the counter of a repeat."""


def to_python(expr: syntax.Expression, resolve: Resolve) -> Expr:
    """An expression of the spec as a Python expression with the same value.

    >>> from compiler.codegen.expression_layout import flat
    >>> from compiler.codegen.python import Name
    >>> from compiler.symbolic.evaluate import parse_expression
    >>> flat(to_python(parse_expression("ceil_div(4 * D, 3)"), lambda name: Name(name.lower())))
    '-(-(4 * d) // 3)'

    The factors of a product of two are in the order in which sizes are printed, so that
    `ratio * C` and `C * ratio` read alike on all lines.
    """
    match expr:
        case syntax.NumberLiteral() | syntax.BooleanLiteral() | syntax.NamedNumber():
            return _number(expr)
        case syntax.Variable() | syntax.Given():
            return _named(expr, resolve)
        case syntax.UnaryOperation(op, operand):
            return Unary(op, to_python(operand, resolve))
        case syntax.BinaryOperation("*", left, right) if _leads(right, left):
            return Binary("*", to_python(right, resolve), to_python(left, resolve))
        case syntax.BinaryOperation(op, left, right):
            return Binary(op, to_python(left, resolve), to_python(right, resolve))
        case syntax.ComparisonOperation(op, left, right):
            return Compare(op, to_python(left, resolve), to_python(right, resolve))
        case syntax.LogicalOperation(op, operands):
            return Logic(op, tuple(to_python(item, resolve) for item in operands))
        case syntax.IfElse(test, body, orelse):
            parts = (to_python(part, resolve) for part in (test, body, orelse))
            return either_of(*parts)
        case syntax.Indexing() | syntax.Slicing():
            return subscript(to_python(expr.value, resolve), _place(expr, resolve))
        case syntax.ListLiteral() | syntax.CountedList():
            return _list(expr, resolve)
        case syntax.FunctionCall(function, args):
            return _call(function, [to_python(arg, resolve) for arg in args])


def _named(expr: syntax.Variable | syntax.Given, resolve: Resolve) -> Expr:
    if isinstance(expr, syntax.Given):
        return Placeholder(InputName(expr.input))
    return resolve(expr.id)


def _number(
    expr: syntax.NumberLiteral | syntax.BooleanLiteral | syntax.NamedNumber,
) -> Expr:
    if isinstance(expr, syntax.NamedNumber):
        return Name(f"math.{expr.name}")
    return lit(expr.value)


def _list(expr: syntax.ListLiteral | syntax.CountedList, resolve: Resolve) -> Expr:
    """`(a, b)`, which a list of a constructor may be compared with, or `tuple(2 * i for i in range(depth))`.

    The numbers themselves are `tuple(range(depth))`.
    """
    if isinstance(expr, syntax.ListLiteral):
        return TupleExpr(tuple(to_python(item, resolve) for item in expr.items))
    if not syntax.names_in(expr):
        with suppress(syntax.ExpressionError):  # in what never runs
            return number_code(evaluate(expr, {}))

    def inside(name: str) -> Expr:
        return Name(name) if name == syntax.ITEM_NUMBER else resolve(name)

    each = call("range", to_python(expr.count, resolve))
    if expr.item == syntax.Variable(syntax.ITEM_NUMBER):
        return call("tuple", each)
    numbered = Comprehension(
        to_python(expr.item, inside), Name(syntax.ITEM_NUMBER), each
    )
    return call("tuple", numbered)


def _place(expr: syntax.Indexing | syntax.Slicing, resolve: Resolve) -> Expr | Slice:
    if isinstance(expr, syntax.Indexing):
        return to_python(expr.index, resolve)
    first, stop = (
        None if part is None else to_python(part, resolve)
        for part in (expr.first, expr.stop)
    )
    return Slice(first, stop)


_OF_MATH = frozenset({"prod", "sqrt", "log", "exp"})


def _call(function: str, args: list[Expr]) -> Expr:
    if function == "ceil_div":
        return Unary("-", Binary("//", Unary("-", args[0]), args[1]))
    name = f"math.{function}" if function in _OF_MATH else function
    match args:
        case [
            Call(Name("tuple"), (Comprehension() | Call(Name("range")) as each,))
        ] if function != "len":
            return call(name, each)
    return call(name, *args)


def _leads(one: syntax.Expression, other: syntax.Expression) -> bool:
    """Whether a factor comes before another where a size is printed: a number first, then names in order."""
    first, second = _order(one), _order(other)
    return first is not None and second is not None and first < second


def _order(factor: syntax.Expression) -> tuple[int, str] | None:
    match factor:
        case syntax.NumberLiteral(int()):
            return 0, ""
        case syntax.Variable(name):
            return 1, name
    return None
