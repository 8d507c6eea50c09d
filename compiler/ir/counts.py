"""The number of parameters; shared and tied tensors count once."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.ir.typed import Instance, LayerCall, TypedNode
from compiler.op.op import product
from compiler.symbolic.dims import Dim, sum_of


def runs_with_weights(node: TypedNode) -> Iterator[tuple[int, LayerCall]]:
    """The runs of a layer whose weights are its own, each with the number of its copies."""
    repeat = node.node.layer.repeat
    if node.node.shared or not node.built:
        return
    if repeat is not None and repeat.share:
        yield 1, node.built[0]
    else:
        yield from ((call.count, call) for call in node.built)


def own_elements(node: TypedNode, call: LayerCall) -> Dim:
    """The number of elements of an op's weights that are not tied, in the names of its scope."""
    shapes = (shape for name, shape in call.weights.items() if name not in node.ties)
    return sum_of(map(product, shapes))


class ParameterCounter:
    """Counts the parameters of instances, each distinct one once."""

    def __init__(self) -> None:
        self._instances: dict[int, int] = {}
        self._nodes: dict[int, int] = {}

    def instance(self, instance: Instance) -> int:
        """The number of parameters of a scope and all that is in it."""
        instance = instance.inferred
        found = self._instances.get(id(instance))
        if found is None:
            found = sum(self.node(instance, node) for node in instance.nodes.values())
            self._instances[id(instance)] = found
        return found

    def node(self, instance: Instance, node: TypedNode) -> int:
        """The number of parameters of a layer with all its copies."""
        found = self._nodes.get(id(node))
        if found is None:
            runs = runs_with_weights(node)
            found = sum(n * self.call(instance, node, run) for n, run in runs)
            self._nodes[id(node)] = found
        return found

    def call(self, instance: Instance, node: TypedNode, call: LayerCall) -> int:
        """The number of parameters of one copy of a layer."""
        if call.instance is not None:
            return self.instance(call.instance)
        return instance.context.value(own_elements(node, call)).constant or 0
