"""How many parameters an instance has: learned tensors, counted once where they are shared or tied."""

from __future__ import annotations

from compiler.dims import Dim
from compiler.op import product
from compiler.typed import Call, Instance, TypedNode


class Counter:
    """Counts parameters of instances, each distinct one once."""

    def __init__(self) -> None:
        self._known: dict[int, int] = {}

    def instance(self, instance: Instance) -> int:
        """The parameters of a scope with everything in it."""
        found = self._known.get(id(instance))
        if found is None:
            found = sum(self.node(instance, node) for node in instance.nodes.values())
            self._known[id(instance)] = found
        return found

    def node(self, instance: Instance, node: TypedNode) -> int:
        """The parameters of a layer with all its copies."""
        if node.node.shared:
            return 0
        repeat = node.node.layer.repeat
        if repeat is not None and repeat.share:
            return self.call(instance, node, node.calls[0]) if node.calls else 0
        return sum(call.count * self.call(instance, node, call) for call in node.calls)

    def call(self, instance: Instance, node: TypedNode, call: Call) -> int:
        """The parameters of one copy."""
        if call.instance is not None:
            return self.instance(call.instance)
        tied = node.node.layer.tie or {}
        total = Dim.of(0)
        for name, shape in call.weights.items():
            if name not in tied:
                total = total + instance.context.value(product(shape))
        return total.constant or 0
