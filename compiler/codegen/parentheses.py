"""When the expression of a statement is parenthesised to break it over several lines.

The rules are those of ruff and Black: an expression that is long because of its last
bracket breaks within it, as in `x = a + f(`; a sum of many terms, or a chain of method
calls, is parenthesised.
"""

from __future__ import annotations

from enum import Enum

from compiler.codegen.precedence import (
    CONDITIONAL,
    OR,
    POSTFIX,
    SIGN,
    is_wrapped_base,
    operands,
    precedence,
)
from compiler.codegen.python import (
    Attribute,
    Binary,
    Call,
    Compare,
    Comprehension,
    Conditional,
    DictExpr,
    Expr,
    Lambda,
    ListExpr,
    Literal,
    Logic,
    Name,
    Starred,
    Subscript,
    TupleExpr,
    Unary,
)

Bracketed = TupleExpr | ListExpr | DictExpr | Comprehension


class Parentheses(Enum):
    """How an expression that does not fit on a line uses parentheses around it."""

    NEVER = "it breaks in brackets of its own"
    IF_THEY_HELP = "it can't break otherwise, or not well"
    IF_BROKEN = "it breaks between its parts"


def parentheses(expr: Expr) -> Parentheses:
    """How this expression uses parentheses."""
    while isinstance(expr, Unary):
        [(operand, wrapped)] = operands(expr)
        if wrapped:
            return Parentheses.NEVER
        expr = operand
    if isinstance(expr, Attribute | Call | Subscript) and is_fluent(expr):
        return Parentheses.IF_BROKEN
    while isinstance(expr, Attribute | Call | Subscript):
        expr = expr.func if isinstance(expr, Call) else expr.value
        if is_wrapped_base(expr):
            return Parentheses.NEVER
    if isinstance(expr, Bracketed):
        return Parentheses.NEVER
    is_atom = isinstance(expr, Name | Literal)
    return Parentheses.IF_THEY_HELP if is_atom else Parentheses.IF_BROKEN


def is_fluent(expr: Expr) -> bool:
    """Whether a chain breaks before its dots: it has at least two attributes of calls or subscripts."""
    called = 0
    while isinstance(expr, Attribute | Call | Subscript):
        base = expr.func if isinstance(expr, Call) else expr.value
        if is_wrapped_base(base):
            return called + isinstance(expr, Attribute) >= 2
        called += isinstance(expr, Attribute) and isinstance(base, Call | Subscript)
        expr = base
    return called >= 2


def breaks_in_brackets(expr: Expr) -> bool:
    """Whether an expression should break within its brackets rather than be parenthesised.

    It should if it has brackets, its loosest operator occurs once, and it starts or
    ends with brackets.
    """
    loosest, count, has_brackets = _operators(expr)
    if not has_brackets or count > 1:
        return False
    return (
        loosest in (0, POSTFIX) or _ends_in_brackets(expr) or _starts_in_brackets(expr)
    )


def _operators(expr: Expr) -> tuple[int, int, bool]:
    """The loosest precedence outside brackets, how often it occurs, and whether there are brackets."""
    found: dict[int, int] = {}
    has_brackets = False
    pending = [expr]
    while pending:
        node = pending.pop()
        if isinstance(node, Attribute | Call | Subscript):
            has_brackets |= not isinstance(node, Attribute)
            base = node.func if isinstance(node, Call) else node.value
            wrapped = is_wrapped_base(base)
            if isinstance(node, Attribute) and (wrapped or _has_brackets(base)):
                found[POSTFIX] = found.get(POSTFIX, 0) + 1
            parts = [(base, wrapped)]
        else:
            has_brackets |= isinstance(node, Bracketed)
            for level, times in _operator_counts(node):
                found[level] = found.get(level, 0) + times
            parts = list(operands(node))
        has_brackets |= any(wrapped for _, wrapped in parts)
        pending.extend(part for part, wrapped in parts if not wrapped)
    loosest = min(found, default=0)
    return loosest, found.get(loosest, 0), has_brackets


def _operator_counts(expr: Expr) -> list[tuple[int, int]]:
    match expr:
        case Binary() | Compare():
            return [(precedence(expr), 1)]
        case Logic(_, items):
            return [(OR, len(items) - 1)]
        case Conditional():
            return [(CONDITIONAL, 2)]
        case Unary("~"):
            return [(SIGN, 1)]
        case _:
            return []


def _has_brackets(expr: Expr) -> bool:
    return isinstance(expr, Call | Subscript | Bracketed)


def _is_full(expr: Expr) -> bool:
    """Whether an expression is, or ends with, non-empty brackets."""
    match expr:
        case Call(_, args, kwargs):
            return bool(args or kwargs)
        case TupleExpr(items) | ListExpr(items):
            return bool(items)
        case DictExpr(pairs):
            return bool(pairs)
        case Comprehension():
            return True
        case _:
            return False


def _ends_in_brackets(expr: Expr) -> bool:
    while parts := list(operands(expr)):
        expr, wrapped = parts[-1]
        if wrapped:
            return True
    return _is_full(expr)


def _starts_in_brackets(expr: Expr) -> bool:
    while not isinstance(expr, Unary | Lambda | Starred):
        if isinstance(expr, Literal):
            return False
        if isinstance(expr, Attribute | Call | Subscript):
            base = expr.func if isinstance(expr, Call) else expr.value
            parts = [(base, is_wrapped_base(base))]
        else:
            parts = list(operands(expr))
        if not parts:
            return _is_full(expr)
        expr, wrapped = parts[0]
        if wrapped:
            return True
    return False
