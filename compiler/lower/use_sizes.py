"""Sizes that differ between the uses of a class, told as what they all may be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from compiler.dataclass import dataclass
from compiler.ir.typed import Instance, TypedNode
from compiler.lower.class_plan import ClassPlan
from compiler.symbolic.dims import Dim
from compiler.symbolic.symbols import NETWORKS, Symbol
from compiler.symbolic.tensor import TensorType

Use = tuple[Instance, TensorType]
"""A use of the class, and the type that a value has there."""


def tell_uses(plan: ClassPlan) -> None:
    """Let the types of a class, which one use gave it, hold for every use.

    Where a size is H in one and H // 2 in another it becomes a symbol of its own.
    """
    if len(plan.uses) == 1:
        return
    for name, shown in plan.layers.items():
        nodes = [(use, use.nodes[name]) for use in plan.uses if name in use.nodes]
        outputs = {
            port: _told(plan, kind, list(_at(nodes, port)))
            for port, kind in shown.outputs.items()
        }
        if outputs != shown.outputs:
            plan.layers[name] = replace(shown, outputs=outputs)
    for port in plan.scope.outputs:
        uses = [(use, use.outputs[port]) for use in plan.uses if port in use.outputs]
        if uses:
            kind = plan.first.outputs.get(port, uses[0][1])
            plan.outputs[port] = _told(plan, kind, uses)


def _at(nodes: list[tuple[Instance, TypedNode]], port: str) -> Iterator[Use]:
    """The types of an output of a layer; where it is off, of what it passes on."""
    for use, node in nodes:
        only = len(node.outputs) == 1
        kind = next(iter(node.outputs.values())) if only else node.outputs.get(port)
        if kind is not None:
            yield use, kind


def _told(plan: ClassPlan, shown: TensorType, uses: list[Use]) -> TensorType:
    others = [(use, k) for use, k in uses if k != shown and k.rank == shown.rank]
    shape = list(shown.shape)
    for axis, size in enumerate(shown.shape):
        sizes = [size]
        for use, kind in others:
            if not any(_holds(one, kind.shape[axis], use) for one in sizes):
                sizes.append(kind.shape[axis])
        if len(sizes) > 1:
            shape[axis] = _one_of(sizes)
    return shown.with_shape(*shape)


def _holds(told: Dim, size: Dim, use: Instance) -> bool:
    """Whether a size may be told so in a use, as far as that knows what it is made of."""
    hints = use.context.hints
    unknown = any(symbol not in hints for symbol in told.symbols)
    if told == size or unknown:
        return True
    try:
        return use.context.value(told) == use.context.value(size)
    except ZeroDivisionError:  # of a layer that is off in this use, for it divides by 0
        return False


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class OneOf(Symbol):
    """One of several sizes: `H or H // 2`."""

    sizes: tuple[Dim, ...]

    def shown(self) -> str:
        return " or ".join(map(str, self.sizes))


def _one_of(sizes: list[Dim]) -> Dim:
    """A symbol for what is one of several sizes."""
    ordered = sorted(set(sizes), key=lambda size: (len(str(size)), str(size), size.key))
    return Dim.symbol(OneOf(NETWORKS, tuple(ordered)))
