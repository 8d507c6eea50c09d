"""The output types of a repeated layer as functions of the number of copies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from compiler.ir.typed import LayerCall
from compiler.op.arg_types import Formula
from compiler.op.context import Context
from compiler.symbolic.dims import Dim
from compiler.symbolic.symbol_table import (
    SymbolTable,
    by_counter,
    item_of_copy,
    length_of,
)
from compiler.symbolic.symbols import ListItem, Symbol
from compiler.symbolic.tensor import TensorType


def by_count(
    calls: tuple[LayerCall, ...],
    speculative: tuple[LayerCall, ...],
    count: object,
    names: SymbolTable,
    context: Context,
) -> Mapping[str, TensorType]:
    """The outputs of the last copy: `24 + growth * depth`, not `24 + 5 * growth`.

    `speculative` are the copies that would come next. Where the sizes follow no rule, or the
    count is a number, the outputs are as the last copy has them.
    """
    outputs = calls[-1].outputs
    copies = [*calls, *speculative]
    numbers = [call.counter for call in copies]
    single = numbers == list(range(len(copies))) and all(c.count == 1 for c in copies)
    if not isinstance(count, Formula) or not single or len(copies) < 2:
        return outputs
    number = names.symbol(count.expr, sum(call.count for call in calls))
    if number is None:
        return outputs
    told: dict[str, TensorType] = {}
    for port, kind in outputs.items():
        rows = [call.outputs[port].shape for call in copies]
        columns = (
            list(zip(*rows, strict=True)) if len({len(r) for r in rows}) == 1 else []
        )
        shape = [_last_size(sizes, number, names, context) for sizes in columns]
        right = len(shape) == kind.rank and all(
            context.value(a) == context.value(b)
            for a, b in zip(shape, kind.shape, strict=True)
        )
        told[port] = kind.with_shape(*shape) if right else kind
    return told


def _last_size(
    sizes: Sequence[Dim], number: Dim, names: SymbolTable, context: Context
) -> Dim:
    """The size of the last of `number` copies, where the first ones have these."""
    last = sizes[(context.value(number).constant or 1) - 1]
    step = sizes[1] - sizes[0] if len(sizes) > 2 else Dim.of(0)
    if step != 0 and all(b - a == step for a, b in pairwise(sizes)):
        return sizes[0] + step * (number - 1)
    followed = _followed(sizes, number, names, context)
    if followed is not None:
        return followed
    items = [size.alone for size in sizes]
    first = items[0]
    if (
        len(items) > 2
        and isinstance(first, ListItem)
        and items
        == [ListItem(first.owner, first.name, (n,)) for n in range(len(items))]
    ):
        whole = number == Dim.symbol(length_of(first))
        found = item_of_copy(first, Dim.of(-1) if whole else number - 1)
        names.hints[found] = context.value(last)
        return Dim.symbol(found)
    return last


def _followed(
    sizes: Sequence[Dim], number: Dim, names: SymbolTable, context: Context
) -> Dim | None:
    """The last size by the formula that all come from: `widths[early + number - 1]`."""
    rules = [
        by_counter(size, names.copy_formulas, copy) for copy, size in enumerate(sizes)
    ]
    told = {_put(size, rule) for size, rule in zip(sizes, rules, strict=True)}
    if len(told) > 1 or not rules[0]:
        return None
    copy = (context.value(number).constant or 1) - 1
    last = by_counter(sizes[copy], names.copy_formulas, copy, number - 1)
    for symbol, formula in last.items():
        names.hints[formula] = names.hints[symbol]
    return _put(sizes[copy], last)


def _put(size: Dim, found: Mapping[Symbol, Symbol]) -> Dim:
    return size.substitute({one: Dim.symbol(other) for one, other in found.items()})
