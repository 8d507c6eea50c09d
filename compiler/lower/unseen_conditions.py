"""Conditions of which a class has seen one outcome alone, where the other would give other types or other code."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from dataclasses import replace
from typing import Any

from compiler.codegen.python import Expr, Placeholder
from compiler.dataclass import dataclass
from compiler.ir.graph import Ref
from compiler.ir.module import Member
from compiler.ir.typed import Instance, TypedNode
from compiler.lower.ask_op import Asked
from compiler.lower.class_plan import ClassPlan, Run
from compiler.lower.scope_code import value_code
from compiler.op.arg_types import Formula
from compiler.symbolic.tensor import TensorType


@dataclass(frozen=True)
class Unseen:
    """A condition in the names of its class."""

    name: str
    code: Expr


def unseen_conditions(plan: ClassPlan) -> Iterator[Unseen]:
    """The conditions of a class that came out in one way in all of its uses, and would matter if they did not.

    `when` matters where the layer gives another type than what passes it by; a flag of an op where the op writes other
    code, and not an expression of the flag.
    """
    for name, typed in plan.layers.items():
        when = plan.scope.nodes[name].layer.when
        if isinstance(when, Formula) and _changes_type(plan, name):
            yield Unseen(name, value_code(when))
        for argument, value in typed.arguments.items():
            if isinstance(value, Formula) and _changes_code(plan, name, argument):
                yield Unseen(name, value_code(value))


def _changes_type(plan: ClassPlan, layer: str) -> bool:
    found = [(use, use.nodes[layer]) for use in plan.uses if layer in use.nodes]
    if len({bool(node.calls) for _, node in found}) != 1:
        return False
    return any(_other_type(use, node) for use, node in found)


def _other_type(use: Instance, node: TypedNode) -> bool:
    """Whether a layer would give another type if it were on where it is off, or off where it is on."""
    given = next(iter(node.outputs.values()), None)
    if node.calls:
        ref = node.node.otherwise or _first(node)
        other = None if ref is None else use.type_of(ref)
    elif node.speculative:
        other = next(iter(node.speculative[-1].outputs.values()), None)
    else:
        return True
    return given is None or other is None or not _alike(use, given, other)


def _first(node: TypedNode) -> Ref | None:
    first = next(iter(node.inputs.values()), None)
    return first[0] if isinstance(first, tuple) else first


def _alike(use: Instance, one: TensorType, other: TensorType) -> bool:
    return use.context.values(one) == use.context.values(other)


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
