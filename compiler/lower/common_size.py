"""One size for several runs of a layer: code that is right in each of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from compiler.codegen.python import (
    Expr,
)
from compiler.expr.syntax import Expression, names_in
from compiler.infer.repeats import uses_counter
from compiler.ir.typed import TypedNode
from compiler.lower.class_plan import ClassPlan, Run
from compiler.lower.copy_sizes import first_or, is_listed, size_of_copy
from compiler.lower.evaluate_code import Unknown, either_of, value_of
from compiler.lower.parted import parted
from compiler.lower.scope_code import name_code, size_code
from compiler.lower.to_python import to_python
from compiler.op.arg_types import Formula
from compiler.symbolic.dims import Dim
from compiler.symbolic.evaluate import ExpressionError, evaluate
from compiler.symbolic.symbol_table import COPY_INDEX, COUNTER, counted_from

MOST_COPIES = 256
"""Of so many copies of one run the size is worked out; a rule that holds for these holds."""


class Scoped(Protocol):
    """The class that a size is sought for, and the conditions that may decide it."""

    @property
    def plan(self) -> ClassPlan: ...

    @property
    def conditions(self) -> Sequence[Expr]: ...


def common_size(
    builder: Scoped,
    typed: TypedNode,
    pairs: Sequence[tuple[Run, Dim]],
    further: Sequence[tuple[Run, Dim]] = (),
) -> Expr:
    """Code for a size that is right in every run.

    `further` are the sizes of copies that would come next.

    Raises:
        Parted: where no code is right in all uses.
    """
    repeated = typed.node.layer.repeat is not None and not typed.node.layer.repeat.share
    candidates: dict[Expr, None] = {}
    by_use: dict[int, list[tuple[Run, Dim]]] = {}
    for run, size in pairs:
        by_use.setdefault(id(run.use), []).append((run, size))
    for key, group in by_use.items():
        more = [pair for pair in further if id(pair[0].use) == key]
        sizes = [
            (copy, size)
            for run, size in (*group, *more)
            for copy in dict.fromkeys((run.copies[0], run.copies[-1]))
        ]
        sizes.sort(key=lambda one: one[0])
        if repeated and len(sizes) > 1:
            counted = typed.each or uses_counter(typed.target, typed.arguments)
            known = builder.plan.copy_formulas if counted else {}
            code = size_of_copy(sizes, size_code, known)
            if is_listed(code):
                code = _of_copy_before(typed, [*group, *more]) or code
            candidates[code] = None
        candidates |= dict.fromkeys(size_code(size) for _, size in group)
    options = list(candidates)
    for code in options:
        if all(_holds(code, run, size) for run, size in pairs):
            return code
    joined = _by_condition(builder, options, pairs)
    if joined is not None:
        return joined
    groups: dict[int, list[Run]] = {}
    for group in by_use.values():
        fits = [
            n
            for n, code in enumerate(options)
            if all(_holds(code, run, size) for run, size in group)
        ]
        groups.setdefault(fits[0] if fits else -1 - len(groups), []).extend(
            run for run, _ in group
        )
    raise parted(builder.plan, typed.node.name, list(groups.values()))


def _of_copy_before(typed: TypedNode, pairs: Sequence[tuple[Run, Dim]]) -> Expr | None:
    """`width if i == 0 else width // 2 ** (i - 1)`: what the copy before is given.

    None unless one formula of the layer fits, and no other.
    """
    first = min(pairs, key=lambda pair: pair[0].call.counter)
    rest = [pair for pair in pairs if pair[0].call.counter]
    if len(rest) == len(pairs):
        return None
    written = {
        counted_from(value.expr, COPY_INDEX - 1)
        for value in typed.arguments.values()
        if isinstance(value, Formula) and COUNTER in names_in(value.expr)
    }
    found = {to_python(expr, name_code): expr for expr in written}
    fits = [code for code in found if all(_comes_to(code, *pair) for pair in rest)]
    if len(fits) != 1:
        return None
    if _starts_with(found[fits[0]], *first):
        return fits[0]
    return first_or(size_code(first[1]), fits[0])


def _starts_with(expr: Expression, run: Run, size: Dim) -> bool:
    """Whether a formula is a size in the first copy, whatever its names are."""
    try:
        return evaluate(expr, run.use.names.counted(0)) == size
    except ExpressionError:
        return False


def _comes_to(code: Expr, run: Run, size: Dim) -> bool:
    """Whether code comes to a size in the copy that a run is of."""
    try:
        value = value_of(code, run.use, run.counters[0])
    except Unknown:
        return False
    return bool(value == run.use.context.value(size))


def _by_condition(
    builder: Scoped, options: Sequence[Expr], pairs: Sequence[tuple[Run, Dim]]
) -> Expr | None:
    """`width + 4 if level > 0 else width`: one of two sizes, by a condition of the scope."""
    for test in builder.conditions:
        try:
            outcomes = [
                bool(value_of(test, run.use, run.counters[0])) for run, _ in pairs
            ]
        except Unknown:
            continue
        if len(set(outcomes)) < 2:
            continue
        chosen = []
        for outcome in (True, False):
            part = [
                pair
                for pair, held in zip(pairs, outcomes, strict=True)
                if held is outcome
            ]
            fits = [
                code
                for code in options
                if all(_holds(code, run, size) for run, size in part)
            ]
            chosen += fits[:1]
        if len(chosen) == 2:
            return either_of(test, *chosen)
    return None


def _holds(code: Expr, run: Run, size: Dim) -> bool:
    """Whether code comes to a size in all copies that a run stands for."""
    wanted = run.use.context.value(size)
    copies = run.counters[:MOST_COPIES]
    try:
        return all(value_of(code, run.use, copy) == wanted for copy in copies)
    except Unknown:
        return False
