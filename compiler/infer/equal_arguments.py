"""How many copies of a repeated layer get the same arguments, one after another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from compiler.expr.syntax import names
from compiler.ir.typed import Instance, hashable
from compiler.op.arg_types import Formula
from compiler.symbolic.evaluate import ExpressionError, Value, evaluate
from compiler.symbolic.symbol_table import COUNTER, SymbolTable


def equal_arguments(
    instance: Instance, arguments: Mapping[str, Any], first: int, count: int
) -> int:
    """The copies from `first` on whose arguments are those of `first`, up to number `count`.

    Equal means: in value, and in the names of the scope as well (`widths[i]` never is).
    """
    formulas = [
        item
        for value in arguments.values()
        for item in (value if isinstance(value, tuple) else (value,))
        if isinstance(item, Formula) and COUNTER in names(item.expr)
    ]
    values: dict[str, Value] = {**instance.values, COUNTER: first}
    named = instance.names.counted(first)
    wanted = [_both(formula, values, named) for formula in formulas]
    for copy in range(first + 1, count):
        values[COUNTER] = named[COUNTER] = copy
        if any(
            _both(f, values, named) != w for f, w in zip(formulas, wanted, strict=True)
        ):
            return copy - first
    return count - first


def _both(formula: Formula, values: Mapping[str, Value], named: SymbolTable) -> object:
    return hashable(_found(formula, values)), _found(formula, named)


def _found(formula: Formula, environment: Mapping[str, Value]) -> object:
    try:
        return evaluate(formula.expr, environment)
    except ExpressionError:
        return None
