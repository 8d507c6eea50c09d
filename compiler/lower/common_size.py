"""One size for several runs of a layer: code that is right in each of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from compiler.codegen.python import (
    Conditional,
    Expr,
)
from compiler.infer.repeats import uses_counter
from compiler.ir.typed import TypedNode
from compiler.lower.class_plan import ClassPlan, Run
from compiler.lower.copy_sizes import size_of_copy
from compiler.lower.evaluate_code import Unknown, value_of
from compiler.lower.parted import parted
from compiler.lower.scope_code import size_code
from compiler.symbolic.dims import Dim

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
        sizes = [(run.call.counter, size) for run, size in (*group, *more)]
        sizes.sort(key=lambda one: one[0])
        if repeated and len(sizes) > 1:
            counted = typed.each or uses_counter(typed.target, typed.arguments)
            known = builder.plan.copy_formulas if counted else {}
            candidates[size_of_copy(sizes, size_code, known)] = None
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


def _by_condition(
    builder: Scoped, options: Sequence[Expr], pairs: Sequence[tuple[Run, Dim]]
) -> Expr | None:
    """`width + 4 if level > 0 else width`: one of two sizes, by a condition of the scope."""
    for test in builder.conditions:
        try:
            outcomes = [
                bool(value_of(test, run.use, run.call.counter)) for run, _ in pairs
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
            return Conditional(test, *chosen)
    return None


def _holds(code: Expr, run: Run, size: Dim) -> bool:
    """Whether code comes to a size in all copies that a run stands for."""
    wanted = run.use.context.value(size)
    copies = (
        run.copies[:MOST_COPIES] if run.node.node.layer.repeat is not None else (None,)
    )
    try:
        return all(value_of(code, run.use, copy) == wanted for copy in copies)
    except Unknown:
        return False
