"""The cost of one forward pass: floating-point operations and activations."""

from __future__ import annotations

from collections.abc import Iterable

from compiler.cost.parameter_formulas import product_or_none, sum_or_none
from compiler.dataclass import dataclass
from compiler.ir.typed import Instance, LayerCall, TypedNode
from compiler.op.context import Context
from compiler.symbolic.dims import Dim, DimOverflow
from compiler.symbolic.tensor import TensorType


@dataclass(frozen=True, slots=True)
class Cost:
    """Formulas in the symbols of the network's inputs; None if a formula grows too large.

    `flops` are those of `torch.utils.flop_counter.FlopCounterMode`: two for each
    multiply-add of a matrix product, a convolution or attention, and none for any other
    op. `activations` are the elements of all outputs of all ops, for each copy of a
    repeated layer and each step of a scan; blocks and groups add none of their own.
    """

    flops: Dim | None
    activations: Dim | None

    def times(self, count: Dim | int) -> Cost:
        """The cost of `count` runs."""
        if count == 1:
            return self
        return Cost(
            product_or_none(self.flops, count),
            product_or_none(self.activations, count),
        )


def total_cost(costs: Iterable[Cost]) -> Cost:
    """The sum of costs."""
    terms = list(costs)
    if len(terms) == 1:
        return terms[0]
    return Cost(
        sum_or_none(cost.flops for cost in terms),
        sum_or_none(cost.activations for cost in terms),
    )


class CostCounter:
    """Counts the costs of instances, each distinct one once."""

    def __init__(self) -> None:
        self._instances: dict[int, Cost] = {}
        self._nodes: dict[int, Cost] = {}

    def instance(self, instance: Instance) -> Cost:
        """The cost of one run of a scope."""
        instance = instance.inferred
        found = self._instances.get(id(instance))
        if found is None:
            nodes = instance.nodes.values()
            found = total_cost(self.node(instance, node) for node in nodes)
            self._instances[id(instance)] = found
        return found

    def node(self, instance: Instance, node: TypedNode) -> Cost:
        """The cost of a layer, with all its copies and all steps of its scan."""
        found = self._nodes.get(id(node))
        if found is None:
            found = total_cost(
                self.call(instance, call).times(call.count) for call in node.calls
            )
            if node.routed is not None:
                (call,) = node.calls
                per_token = _simplest(instance.context, node.routed.per_token)
                found = self.call(instance, call).times(per_token)
            if node.scan is not None:
                found = found.times(_simplest(instance.context, node.scan.length))
            self._nodes[id(node)] = found
        return found

    def call(self, instance: Instance, call: LayerCall) -> Cost:
        """The cost of one copy of a layer, and of one step of a scan."""
        if call.instance is not None:
            return self.instance(call.instance)
        context = instance.context
        sizes = (_elements(context, type) for type in call.outputs.values())
        try:
            flops = None if call.flops is None else _simplest(context, call.flops)
        except DimOverflow:
            flops = None
        return Cost(flops, sum_or_none(sizes))


def _elements(context: Context, type: TensorType) -> Dim | None:
    """The number of elements; that of the sizes' values where their product in the names of the scope is too large."""
    try:
        return _simplest(context, type.numel)
    except DimOverflow:
        try:
            return _simplest(context, context.values(type).numel)
        except DimOverflow:
            return None


def _simplest(context: Context, size: Dim) -> Dim:
    """A size in the symbols of the network's inputs, as simple as their multiples make it."""
    return context.domain.simplified(context.value(size))
