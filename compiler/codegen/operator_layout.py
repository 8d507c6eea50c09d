"""Chains of operators, and where the formatter omits the spaces around them."""

from __future__ import annotations

from compiler.codegen.precedence import operands, precedence
from compiler.codegen.python import (
    Attribute,
    Binary,
    Compare,
    Expr,
    Literal,
    Logic,
    Name,
    Unary,
)

Term = tuple[Expr, bool]
"""An operand, and whether it is parenthesised."""


def terms(expr: Binary | Compare | Logic) -> tuple[list[Term], list[str]]:
    """The operands of a chain of equal precedence, and the operators between them."""
    if isinstance(expr, Logic):
        return list(operands(expr)), [expr.op] * (len(expr.items) - 1)
    left, right = operands(expr)
    run, found = [right], [expr.op]
    level = precedence(expr)
    while isinstance(left[0], Binary | Compare) and not left[1]:
        if precedence(left[0]) != level:
            break
        found.append(left[0].op)
        left, right = operands(left[0])
        run.append(right)
    return [left, *run[::-1]], found[::-1]


def is_simple_power_operand(expr: Expr, wrapped: bool) -> bool:
    """Whether a power is printed without spaces around this operand: `x**2`, but `f(x) ** 2`."""
    match expr:
        case Unary("not"):
            return False
        case Unary(_, operand) | Attribute(operand):
            return not wrapped and is_simple_power_operand(operand, False)
        case Literal(constant):
            is_quoted = isinstance(constant, str) or constant is ...
            return not wrapped and not is_quoted
        case _:
            return not wrapped and isinstance(expr, Name)


def is_simple_bound(expr: Expr) -> bool:
    """Whether a slice bound is a name or constant, so that no space separates it from the colon."""
    match expr:
        case Name(id):
            return "." not in id
        case Unary("-" | "+" | "~", operand):
            return is_simple_bound(operand)
        case _:
            return isinstance(expr, Literal)
