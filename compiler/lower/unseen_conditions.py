"""Conditions of which a class has seen one outcome alone, where the other would give other types or other code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import replace
from typing import Any

from compiler.codegen.python import Expr, Placeholder
from compiler.codegen.traversal import placeholders
from compiler.dataclass import dataclass
from compiler.expr.syntax import (
    ComparisonOperation,
    Expression,
    LogicalOperation,
    UnaryOperation,
)
from compiler.ir.module import Member, ScopeName
from compiler.ir.typed import Instance, TypedNode
from compiler.lower.ask_op import Asked
from compiler.lower.build_sites import BuildSite, BuildSites, in_builder
from compiler.lower.choice_tests import nothing_new
from compiler.lower.class_plan import ClassPlan, Run, first_ref, refs_of
from compiler.lower.evaluate_code import Unknown, value_of
from compiler.lower.scope_code import value_code
from compiler.op.arg_types import Formula
from compiler.symbolic.dims import Dim
from compiler.symbolic.evaluate import ExpressionError, Value, evaluate
from compiler.symbolic.symbol_table import COUNTER
from compiler.symbolic.symbols import Symbol
from compiler.symbolic.tensor import TensorType


@dataclass(frozen=True)
class Traced:
    """Where conditions are decided of which one outcome alone was seen.

    Attributes:
        counts: where so many copies are built that a later one may have another outcome.
        conditions: by the identity of each network's plan, those over its params, in its names.
    """

    counts: Sequence[BuildSite]
    conditions: Mapping[int, Sequence[Expr]]


MOST_STEPS = 1_000
"""Steps from a class to one that builds it, for all conditions of a file."""


def trace_unseen(plans: Iterable[ClassPlan], callers: BuildSites) -> Traced:
    """Follow conditions that matter to where they are decided: to numbers of copies, and to params of networks.

    Where that takes more than `MOST_STEPS`, all numbers of copies may matter. A block that builds itself is followed
    once: its copies inside have other values of the same params.
    """
    counts: list[BuildSite] = []
    conditions: dict[int, list[Expr]] = {}
    waiting: list[tuple[ClassPlan, Expr, tuple[ClassPlan, ...]]] = [
        (plan, code, (plan,)) for plan in plans for code in _unseen(plan)
    ]
    known = {(id(plan), code) for plan, code, _ in waiting}
    steps = 0
    while waiting:
        plan, code, path = waiting.pop()
        if plan.scope.kind == "network":
            conditions.setdefault(id(plan), []).append(code)
        for caller in callers.get(id(plan), ()):
            steps += 1
            if steps > MOST_STEPS:
                every = {
                    id(one.held): one for found in callers.values() for one in found
                }
                return Traced([x for x in every.values() if x.held.copies], conditions)
            outer = caller.ir.plan
            found = in_builder(code, plan, caller.runs(plan))
            if found is None:
                counts += [caller] if caller.held.copies else []
            elif caller.held.copies and ScopeName(COUNTER) in placeholders(found):
                runs = [run for _, runs in caller.construct.plans for run in runs]
                settled = nothing_new([[found]], runs, further=1)
                counts += [] if settled else [caller]
            elif outer not in path and (id(outer), found) not in known:
                known.add((id(outer), found))
                waiting.append((outer, found, (*path, outer)))
    return Traced(counts, conditions)


def _unseen(plan: ClassPlan) -> Iterator[Expr]:
    """The conditions of a class that came out in one way in all of its uses, and would matter if they did not.

    `when` matters where the layer gives another type than what passes it by; a flag of an op where the op writes other
    code, and not an expression of the flag.
    """
    read = _read(plan)
    for name, typed in plan.layers.items():
        when = plan.built_when(name)
        if (
            isinstance(when, Formula)
            and name in read
            and _changes_type(plan, name, when)
        ):
            yield value_code(when)
        for argument, value in typed.arguments.items():
            if isinstance(value, Formula) and _changes_code(plan, name, argument):
                yield value_code(value)


def _read(plan: ClassPlan) -> set[str]:
    """The layers of whose types code may ask: code of other layers, or of what builds the class."""
    outputs = plan.scope.outputs.values() if plan.scope.kind != "network" else ()
    inside = (ref for typed in plan.layers.values() for _, ref in refs_of(typed))
    return {ref.node for ref in (*outputs, *inside)}


def _changes_type(plan: ClassPlan, layer: str, when: Formula) -> bool:
    """Whether a layer that is on in all uses, or in none, would give another type if it were not.

    Where it asks for inputs, that is as far as params and sizes say: a layer may be on here for some inputs only.
    """
    found = [(use, use.nodes[layer]) for use in plan.uses if layer in use.nodes]
    on = {_is_on(use, node, when) for use, node in found}
    if len(on) != 1:
        return False
    alike = [(use, node) for use, node in found if bool(node.calls) in on]
    return not alike or any(_other_type(use, node, when.expr) for use, node in alike)


def _is_on(use: Instance, node: TypedNode, when: Formula) -> bool:
    if not node.node.layer.asks_given:
        return bool(node.calls)
    try:
        return bool(value_of(value_code(when), use))
    except Unknown:
        return bool(node.calls)


def _other_type(use: Instance, node: TypedNode, when: Expression) -> bool:
    """Whether a layer would give another type if it were on where it is off, or off where it is on."""
    given = next(iter(node.outputs.values()), None)
    if node.calls:
        ref = node.node.otherwise or first_ref(node)
        other = None if ref is None else use.type_of(ref)
    elif node.speculative:
        other = next(iter(node.speculative[-1].outputs.values()), None)
    else:
        return True
    if given is None or other is None:
        return True
    if use.context.values(given) == use.context.values(other):
        return False
    equal = dict(_equal_sizes(when, not node.calls, use))
    return _with_sizes(given, equal) != _with_sizes(other, equal)


def _equal_sizes(
    when: Expression, holds: bool, use: Instance
) -> Iterator[tuple[Symbol, Dim]]:
    """The symbols that equal other sizes where a condition holds, or does not: without `width != D` `width` is D."""
    if isinstance(when, UnaryOperation) and when.op == "not":
        yield from _equal_sizes(when.operand, not holds, use)
    if isinstance(when, LogicalOperation) and (when.op == "and") is holds:
        for part in when.operands:
            yield from _equal_sizes(part, holds, use)
    if isinstance(when, ComparisonOperation) and when.op == ("==" if holds else "!="):
        sides = [known_size(side, use.names) for side in (when.left, when.right)]
        for one, other in (sides, sides[::-1]):
            if one is not None and other is not None and one.alone is not None:
                yield one.alone, other
                return


def known_size(expr: Expression, names: Mapping[str, Value]) -> Dim | None:
    """The size that a side of a comparison comes to; None where it is none, or a name has no value."""
    try:
        value = evaluate(expr, names)
    except ExpressionError:
        return None
    return Dim.of(value) if isinstance(value, Dim | int) else None


def _with_sizes(kind: TensorType, sizes: Mapping[Symbol, Dim]) -> TensorType:
    """A type in which symbols are other sizes; as it is where one of these is a divisor, and 0."""
    try:
        shape = tuple(size.substitute(sizes) for size in kind.shape)
    except ZeroDivisionError:
        return kind
    return TensorType(kind.kind, shape)


def _changes_code(plan: ClassPlan, layer: str, argument: str) -> bool:
    """Whether an op writes other code where a flag, the same in all runs, is turned."""
    runs = plan.runs(layer)
    flags = {getattr(run.call.op, argument, None) for run in runs}
    return (
        len(flags) == 1 and isinstance(flags.pop(), bool) and _turned(runs[0], argument)
    )


def _turned(run: Run, argument: str) -> bool:
    """Whether an op writes other code for a run where a flag is turned."""
    op = copy(run.call.op)
    setattr(op, argument, not getattr(op, argument))
    inputs = {
        port: _placeholders(port, kind)
        for port, kind in run.call.inputs.items()
        if kind is not None
    }
    for given in (None, inputs):
        as_it_is, turned = (
            Asked(run.node, call, Placeholder(Member(run.node.node.name)), given)
            for call in (run.call, replace(run.call, op=op))
        )
        if as_it_is.written(run.use) != turned.written(run.use):
            return True
    return False


def _placeholders(port: str, kind: object) -> Any:
    """What stands for an input: one value, or several."""
    if isinstance(kind, tuple):
        return tuple(Placeholder(f"{port}.{number}") for number in range(len(kind)))
    return Placeholder(port)
