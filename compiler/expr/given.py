"""`given(mask)` in conditions: what must hold when a network is built, and what may come out when it runs.

An input is asked for under `and`, `or` and `not` alone, and once in a condition: so the two ends of what may come out
are those where every question has the answer that it hopes for, and where none has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from compiler.expr.syntax import (
    BooleanLiteral,
    Expression,
    Given,
    LogicalOperation,
    UnaryOperation,
    walk,
)

Answer = Callable[[Given, bool], bool | None]
"""The answer to a question, and whether it hopes for true; None leaves it open."""


def asked_inputs(expr: Expression) -> Iterator[Given]:
    """The questions for inputs in an expression."""
    return (part for part in walk(expr) if isinstance(part, Given))


def answered(expr: Expression, answer: Answer) -> Expression:
    """A condition with answers in place of its questions, and without what these decide.

    >>> from compiler.expr.grammar import parse_expression
    >>> from compiler.expr.syntax import unparse
    >>> unparse(answered(parse_expression("given(mask) and not causal"), lambda one, hoped: hoped))
    'not causal'
    """
    return _answered(expr, answer, True)


def _answered(expr: Expression, answer: Answer, hoped: bool) -> Expression:
    match expr:
        case Given():
            known = answer(expr, hoped)
            return expr if known is None else BooleanLiteral(known)
        case UnaryOperation("not", operand):
            inner = _answered(operand, answer, not hoped)
            if isinstance(inner, BooleanLiteral):
                return BooleanLiteral(not inner.value)
            return UnaryOperation("not", inner)
        case LogicalOperation(op, operands):
            return _joined(op, [_answered(one, answer, hoped) for one in operands])
    return expr


def _joined(op: str, operands: list[Expression]) -> Expression:
    """`and` or `or` of operands, of which literals decide it or are left out."""
    decides = BooleanLiteral(op == "or")
    if decides in operands:
        return decides
    rest = [one for one in operands if not isinstance(one, BooleanLiteral)]
    if not rest:
        return BooleanLiteral(op == "and")
    return rest[0] if len(rest) == 1 else LogicalOperation(op, tuple(rest))
