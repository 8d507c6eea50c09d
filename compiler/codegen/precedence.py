"""Operator precedence, and which operands are parenthesised."""

from __future__ import annotations

from collections.abc import Iterator
from math import copysign

from compiler.codegen.python import (
    Attribute,
    Binary,
    Call,
    Compare,
    Conditional,
    Expr,
    Lambda,
    Literal,
    Logic,
    Starred,
    Subscript,
    Unary,
)

STARRED, LAMBDA, CONDITIONAL, OR, AND, NOT, COMPARE = range(1, 8)
BITWISE_OR, BITWISE_XOR, BITWISE_AND, SHIFT, SUM, PRODUCT = range(8, 14)
SIGN, POWER, POSTFIX, ATOM = range(14, 18)

ANY = LAMBDA
"""The lowest precedence of an unparenthesised argument: anything except a starred expression."""

_BINARY = {
    "|": BITWISE_OR,
    "^": BITWISE_XOR,
    "&": BITWISE_AND,
    "<<": SHIFT,
    ">>": SHIFT,
}
_BINARY |= {"+": SUM, "-": SUM, "**": POWER}

_PLAIN: dict[type[Expr], int] = {
    Starred: STARRED,
    Lambda: LAMBDA,
    Conditional: CONDITIONAL,
    Compare: COMPARE,
    Attribute: POSTFIX,
    Call: POSTFIX,
    Subscript: POSTFIX,
}


def precedence(expr: Expr) -> int:
    """The precedence of an expression; larger binds tighter."""
    match expr:
        case Literal(value):
            return SIGN if is_negative(value) else ATOM
        case Binary(op):
            return _BINARY.get(op, PRODUCT)
        case Logic(op):
            return OR if op == "or" else AND
        case Unary(op):
            return NOT if op == "not" else SIGN
        case _:
            return _PLAIN.get(type(expr), ATOM)


def is_negative(value: object) -> bool:
    """Whether the literal of a value starts with a minus sign."""
    return isinstance(value, int | float) and copysign(1, value) < 0


def is_wrapped(expr: Expr, least: int) -> bool:
    """Whether an expression must be parenthesised where at least this precedence is needed."""
    return precedence(expr) < least


def is_wrapped_base(expr: Expr) -> bool:
    """Whether an expression must be parenthesised before `.x`, `(x)` or `[x]`; numbers too: `(1).real`."""
    if isinstance(expr, Literal) and isinstance(expr.value, int | float):
        return not isinstance(expr.value, bool)
    return precedence(expr) < POSTFIX


def operands(expr: Expr) -> Iterator[tuple[Expr, bool]]:
    """The operands of an expression, each with whether it is parenthesised.

    Powers always are: after a sign for readability, elsewhere because ruff formats them
    as `a** b` when the line around them breaks. So are quotients within a product.
    """
    for part, least in _operand_limits(expr):
        always = isinstance(part, Binary) and _is_always_wrapped(part.op, expr)
        yield part, always or is_wrapped(part, least)


def _is_always_wrapped(op: str, around: Expr) -> bool:
    """Whether an operand is parenthesised for readability: a power, or a quotient as in `(a // b) * c`."""
    product = isinstance(around, Binary) and around.op in ("*", "/", "//", "%")
    same = isinstance(around, Binary) and around.op == op
    return op == "**" or (op in ("/", "//", "%") and product and not same)


def _operand_limits(expr: Expr) -> Iterator[tuple[Expr, int]]:
    match expr:
        case Logic(_, items):  # parenthesise `and` within `or` too, for readability
            yield from ((item, NOT) for item in items)
        case Compare(_, left, right):
            yield from ((left, BITWISE_OR), (right, BITWISE_OR))
        case Binary("**", left, right):
            yield from ((left, POSTFIX), (right, SIGN))
        case Binary(_, left, right):
            yield from ((left, precedence(expr)), (right, precedence(expr) + 1))
        case Unary(op, operand):
            yield operand, NOT if op == "not" else SIGN
        case Conditional(test, body, orelse):
            yield from ((body, OR), (test, OR), (orelse, CONDITIONAL))
        case Starred(value):
            yield value, BITWISE_OR
        case Lambda(_, body):
            yield body, ANY
