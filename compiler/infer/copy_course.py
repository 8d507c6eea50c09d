"""At which copy of a repeated layer a number leaves the course that it has in the first copies: `max(8, 2 * i)`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from compiler.expr.syntax import (
    BinaryOperation,
    ComparisonOperation,
    Expression,
    FunctionCall,
    IfElse,
    NumberLiteral,
    Variable,
    names_in,
    walk,
)
from compiler.op.arg_types import Formula
from compiler.symbolic.dims import Dim, DimOverflow, exact_div
from compiler.symbolic.evaluate import ExpressionError, evaluate
from compiler.symbolic.symbol_table import COUNTER, SymbolTable

COPIES = 4
"""How many copies show by what rule their sizes grow."""
FARTHEST = 64
"""The last copy that is inferred in order to see what its size is."""
MOST = 1_000
"""The last copy whose number is looked at."""


def first_departure(
    arguments: Mapping[str, Any], names: SymbolTable, seen: int
) -> int | None:
    """The first copy after those seen whose arguments are not what the copies before it show; None if there is none.

    The arguments of three copies show how they go on: they are equal, or grow by a sum or by a factor. Where these
    follow no rule, nothing shows how they go on, and no copy departs from it.
    """
    found = (_departure(one, names, max(seen, COPIES)) for one in _uneven(arguments))
    return min((copy for copy in found if copy is not None), default=None)


def _uneven(arguments: Mapping[str, Any]) -> Iterator[Expression]:
    """The formulas of the number of a copy that may be one thing in some copies, and another in others."""
    for value in arguments.values():
        for item in value if isinstance(value, tuple) else (value,):
            if (
                isinstance(item, Formula)
                and COUNTER in names_in(item.expr)
                and any(map(_is_uneven, walk(item.expr)))
            ):
                yield item.expr


def _is_uneven(part: Expression) -> bool:
    match part:
        case IfElse() | ComparisonOperation() | FunctionCall():
            return True
        case BinaryOperation(op):
            return op in ("//", "%")
    return False


def _departure(expr: Expression, names: SymbolTable, seen: int) -> int | None:
    values = _values(expr, names, seen - 3)
    known = list(islice(values, 3))
    if len(known) < 3 or not _goes_on(known):
        return None
    for copy, value in enumerate(values, start=seen):
        known = [*known[1:], value]
        if not _goes_on(known):
            return copy
    return None


def _values(expr: Expression, names: SymbolTable, first: int) -> Iterator[Dim]:
    """The numbers of copies, as long as they are numbers."""
    table = names.counted(first)
    for copy in range(first, max(first + COPIES, _last(expr)) + 1):
        table[COUNTER] = copy
        try:
            value = evaluate(expr, table)
        except (ExpressionError, DimOverflow, ZeroDivisionError):
            return
        if not isinstance(value, int | Dim) or isinstance(value, bool):
            return
        yield Dim.of(value)


def _last(expr: Expression) -> int:
    """The last copy whose number is looked at.

    Where only conditions such as `i == 0` make numbers uneven, these are over after the last copy that one names.
    """
    last = 0
    for part in walk(expr):
        match part:
            case IfElse():
                pass
            case ComparisonOperation(_, Variable(name), NumberLiteral(int(number))) if (
                name == COUNTER
            ):
                last = max(last, number)
            case _ if _is_uneven(part):
                return MOST
    return min(last + COPIES, MOST)


def _goes_on(values: Sequence[Dim]) -> bool:
    """Whether three numbers grow by one sum, or by one factor."""
    first, second, third = values
    if third - second == second - first:
        return True
    factor = None if first == 0 else exact_div(second, first)
    return factor is not None and third == second * factor
