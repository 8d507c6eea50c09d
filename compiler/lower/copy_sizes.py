"""Sizes that differ from copy to copy of a repeated layer, as one expression of the counter `i`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

from compiler.codegen.python import (
    Binary,
    Compare,
    Expr,
    Placeholder,
    Subscript,
    TupleExpr,
    lit,
    subscript,
)
from compiler.ir.module import ScopeName
from compiler.lower.evaluate_code import either_of
from compiler.symbolic.dims import Dim, exact_div
from compiler.symbolic.symbol_table import (
    COPY_INDEX,
    CopyFormula,
    by_counter,
    item_of_copy,
)
from compiler.symbolic.symbols import ListItem, Symbol

Sizes = Sequence[tuple[int, Dim]]
"""The sizes of runs of equal copies: the numbers of the first and the last copy of each run, with the size."""

CopyFormulas = Mapping[Symbol, CopyFormula]

COUNTER = Placeholder(ScopeName("i"))


def size_of_copy(
    sizes: Sizes, to_code: Callable[[Dim], Expr], copy_formulas: CopyFormulas
) -> Expr:
    """The size of copy `i`, as a person would write it.

    `copy_formulas` has the formulas of the counter that some sizes come from. Equal for
    all; such a formula; one more step each time; one for the first and one for the
    others; an item of a list of the spec.
    Where there is no such rule the sizes themselves are listed.
    """
    values = [size for _, size in sizes]
    if all(size == values[0] for size in values):
        return to_code(values[0])
    if _consecutive(sizes):
        found = _followed(values, copy_formulas, to_code) or (
            _rule(values, 0, to_code) if len(values) > 2 else None
        )
        if found is not None:
            return found
    if sizes[1][0] == 1 and all(size == values[1] for size in values[1:]):
        return first_or(to_code(values[0]), to_code(values[1]))
    if _consecutive(sizes):
        found = _rule(values[1:], 1, to_code)
        if found is not None:
            return first_or(to_code(values[0]), found)
    listed = TupleExpr(tuple(to_code(size) for size in _expanded(sizes)))
    return subscript(listed, COUNTER)


def _rule(values: list[Dim], start: int, to_code: Callable[[Dim], Expr]) -> Expr | None:
    """The rule of sizes from copy `start` on: a step, an item of a list, or a factor."""
    for rule in (_items, _progression, _powers):
        found = rule(values, start, to_code)
        if found is not None:
            return found
    return None


def _followed(
    values: list[Dim], copy_formulas: CopyFormulas, to_code: Callable[[Dim], Expr]
) -> Expr | None:
    """The formula of the counter that the sizes come from: of all, or but the first."""
    told = {_formula(size, copy_formulas, k) for k, size in enumerate(values) if k}
    if len(told) > 1 or told == {values[1]}:
        return None
    if _formula(values[1], copy_formulas, 1, Dim.of(0)) == values[0]:
        return to_code(told.pop())
    return first_or(to_code(values[0]), to_code(told.pop()))


def _formula(
    size: Dim, copy_formulas: CopyFormulas, copy: int, here: Dim = COPY_INDEX
) -> Dim:
    found = by_counter(size, copy_formulas, copy, here)
    return size.substitute({one: Dim.symbol(other) for one, other in found.items()})


def _consecutive(sizes: Sizes) -> bool:
    return [first for first, _ in sizes] == list(range(len(sizes)))


def is_listed(code: Expr) -> bool:
    """Whether code is an item, for each copy, of a list that stands in it."""
    return (
        isinstance(code, Subscript)
        and isinstance(code.value, TupleExpr)
        and code.index == (COUNTER,)
    )


def first_or(first: Expr, others: Expr) -> Expr:
    """One size for the first copy, and one for those after it."""
    return either_of(Compare("==", COUNTER, lit(0)), first, others)


def _progression(
    values: list[Dim], start: int, to_code: Callable[[Dim], Expr]
) -> Expr | None:
    step = values[1] - values[0] if len(values) > 2 else Dim.of(0)
    if step == 0 or any(b - a != step for a, b in pairwise(values)):
        return None
    return to_code(values[0] + step * (COPY_INDEX - start))


def _powers(
    values: list[Dim], start: int, to_code: Callable[[Dim], Expr]
) -> Expr | None:
    """`8 * 2**i`: each size is so many times the one before."""
    factor = exact_div(values[1], values[0]) if len(values) > 2 else None
    if factor is None or any(b != a * factor for a, b in pairwise(values)):
        return None
    place = COUNTER if start == 0 else Binary("-", COUNTER, lit(start))
    return Binary("*", to_code(values[0]), Binary("**", to_code(factor), place))


def _items(
    values: list[Dim], start: int, to_code: Callable[[Dim], Expr]
) -> Expr | None:
    """`widths[i]`, or `growth * depths[i - 1] + widths[i - 1]` for the copies after the first."""
    told = {_by_counter(size, start + k) for k, size in enumerate(values)}
    return to_code(told.pop()) if len(told) == 1 else None


def _by_counter(size: Dim, copy: int) -> Dim:
    """A size of one copy, with the items of lists that it names counted from that copy."""
    items: dict[Symbol, Dim] = {}
    for symbol in size.symbols:
        if isinstance(symbol, ListItem) and len(symbol.path) == 1:
            place = COPY_INDEX + (symbol.path[0] - copy)
            items[symbol] = Dim.symbol(item_of_copy(symbol, place))
    return size.substitute(items)


def _expanded(sizes: Sizes) -> list[Dim]:
    """One size for each copy up to the last run, which lasts for ever."""
    expanded: list[Dim] = []
    for (first, size), (following, _) in zip(
        sizes, [*sizes[1:], (sizes[-1][0] + 1, sizes[-1][1])], strict=True
    ):
        expanded.extend([size] * (following - first))
    return expanded
