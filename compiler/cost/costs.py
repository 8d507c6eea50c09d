"""What one forward pass costs: floating point operations, and elements written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from compiler.cost.parameter_formulas import added, times
from compiler.ir.typed import Call, Instance, TypedNode
from compiler.symbolic.dims import Dim, DimOverflow


@dataclass(frozen=True, slots=True)
class Cost:
    """Formulas in the symbols of the network's inputs; None where one has no end.

    `flops` are those of torch's FlopCounterMode: two for a multiply-add in matrix
    products, convolutions and attention, none for anything else. `activations` are
    the elements of the outputs of every op that runs, each copy of a repeated layer
    and each step of a scan counted; blocks and groups have none of their own.
    """

    flops: Dim | None
    activations: Dim | None

    def times(self, count: Dim | int) -> Cost:
        """The cost of so many runs."""
        return Cost(times(self.flops, count), times(self.activations, count))


def total(costs: Iterable[Cost]) -> Cost:
    """The sum of costs."""
    found = list(costs)
    return Cost(
        added([cost.flops for cost in found]),
        added([cost.activations for cost in found]),
    )


class Costs:
    """The costs of instances, each distinct one worked out once."""

    def __init__(self) -> None:
        self._known: dict[int, Cost] = {}
        self._nodes: dict[int, Cost] = {}

    def instance(self, instance: Instance) -> Cost:
        """One run of a scope."""
        found = self._known.get(id(instance))
        if found is None:
            nodes = instance.nodes.values()
            found = total([self.node(instance, node) for node in nodes])
            self._known[id(instance)] = found
        return found

    def node(self, instance: Instance, node: TypedNode) -> Cost:
        """A layer with all its copies, and all steps of its scan."""
        found = self._nodes.get(id(node))
        if found is None:
            calls = node.calls
            found = total([self.call(instance, one).times(one.count) for one in calls])
            if node.scan is not None:
                found = found.times(instance.context.value(node.scan.length))
            self._nodes[id(node)] = found
        return found

    def call(self, instance: Instance, call: Call) -> Cost:
        """One copy of a layer, one step of a scan."""
        if call.instance is not None:
            return self.instance(call.instance)
        value = instance.context.value
        try:
            sizes = [value(kind.numel) for kind in call.outputs.values()]
            return Cost(value(call.flops), added(list(sizes)))
        except DimOverflow:
            return Cost(None, None)
