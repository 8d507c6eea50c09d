"""The types of what a class keeps between the pieces of a sequence, and how its methods read that."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from functools import reduce

from compiler.codegen.python import (
    Binary,
    Compare,
    Conditional,
    DictExpr,
    Expr,
    Name,
    attr,
    lit,
    subscript,
)
from compiler.codegen.statements import Assign, Class, Stmt
from compiler.ir.module import LayerState
from compiler.lower.class_ir import ClassIR
from compiler.lower.class_plan import ClassPlan
from compiler.lower.class_steps import ClassSteps, LayerMemory, Steps, field_name
from compiler.lower.constructors import either_none
from compiler.lower.static_types import TENSOR

CAPACITY = "max_length"
"""What `init_state` calls the largest number of positions that a state has room for."""
POSITION = "position"
_BATCHES = subscript(Name("Mapping"), Name("str"), Binary("|", Name("int"), lit(None)))


def state_class(ir: ClassIR, steps: Steps) -> Class | None:
    """The dataclass of what a class keeps; None where that is the only thing that it keeps, or nothing."""
    own, plan = ir.steps, ir.plan
    if own is None or not steps.keeps(plan) or not steps.is_wrapped(plan):
        return None
    begin = steps.begin(plan)
    batches = {field_name(n): axis for n, axis in begin.batches.items()}
    fields: list[Stmt] = [
        Assign(
            (Name("batches"),),
            DictExpr(tuple((lit(n), lit(axis)) for n, axis in batches.items())),
            subscript(Name("ClassVar"), _BATCHES),
        )
        for _ in range(bool(batches))
    ]
    fields += [
        Assign(
            (Name(field_name(value)),),
            None,
            either_none(TENSOR) if value in begin.optional else TENSOR,
        )
        for value in begin.values
    ]
    fields += [
        Assign((Name(field_name(layer)),), None, _layer_type(own, layer, kept, steps))
        for layer, kept in own.kept.items()
    ]
    if plan.scope.kind == "network":
        fields.append(Assign((Name(POSITION),), lit(0), Name("int")))
    docstring = f"What {plan.name} keeps between the pieces of a sequence."
    name = steps.state_name(plan)
    return Class(
        name, (Name("StepState"),), docstring, tuple(fields), (Name("dataclass"),)
    )


def state_type(plan: ClassPlan, steps: Steps) -> Expr:
    """The type of what a class keeps."""
    own = steps.of(plan)
    assert own is not None
    if steps.is_wrapped(plan):
        return Name(steps.state_name(plan))
    if not own.kept:
        return either_none(TENSOR) if steps.begin(plan).optional else TENSOR
    ((layer, kept),) = own.kept.items()
    return _layer_type(own, layer, kept, steps)


def _layer_type(own: ClassSteps, layer: str, kept: LayerMemory, steps: Steps) -> Expr:
    """The type of what a layer keeps: a list for its copies, maybe None where it may be off."""
    node = own.plan.layers[layer].node
    kinds: list[Expr] = [Name(kept.state)] if kept.state else []
    kinds += [
        state_type(plan, steps) if steps.keeps(plan) else lit(None)
        for plan in kept.plans
    ]
    found = either(kinds)
    if node.layer.repeat is not None:
        return subscript(Name("list"), found)
    always = own.plan.built_when(layer) is None or own.plan.builds(layer) is True
    return found if always else either([*kinds, lit(None)])


def either(kinds: Iterable[Expr]) -> Expr:
    """`A | B`, with None as the last."""
    parts = (part for kind in kinds for part in _parts(kind))
    ordered = sorted(dict.fromkeys(parts), key=lambda kind: kind == lit(None))
    return reduce(lambda left, right: Binary("|", left, right), ordered)


def _parts(kind: Expr) -> Iterator[Expr]:
    """The types of which one is meant: `A` and `B` of `A | B`."""
    if isinstance(kind, Binary) and kind.op == "|":
        yield from _parts(kind.left)
        yield from _parts(kind.right)
    else:
        yield kind


def layer_state(own: ClassSteps, steps: Steps, key: LayerState) -> Expr:
    """How `forward` reads what a layer keeps."""
    state: Expr = Name(own.state_argument)
    wrapped = steps.is_wrapped(own.plan)
    found = attr(state, field_name(key.layer)) if wrapped else state
    if key.copied:
        found = subscript(found, Name("i"))
    return state if found == state else unless_none(state, lit(None), found)


def unless_none(state: Expr, other: Expr, value: Expr) -> Expr:
    """`other if state is None else value`."""
    return Conditional(Compare("is", state, lit(None)), other, value)


def tensors(count: int, optional: Collection[int] = ()) -> Expr:
    """The type of so many tensors, of which those at some places may be None."""
    each = [either_none(TENSOR) if n in optional else TENSOR for n in range(count)]
    return each[0] if count == 1 else subscript(Name("tuple"), *each)
