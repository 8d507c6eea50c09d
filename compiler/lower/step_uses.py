"""Which values of each scope depend on what is streamed, in each of its uses."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from compiler.dataclass import dataclass
from compiler.infer.repeats import feeds
from compiler.ir.graph import Ref
from compiler.ir.typed import Instance, LayerCall, TypedNode
from compiler.lower.class_plan import refs_of


@dataclass(frozen=True)
class StreamedUse:
    """A use of a scope of which some inputs depend on what is streamed."""

    instance: Instance
    ports: frozenset[str]
    """The inputs that do."""
    layers: frozenset[str]
    """The layers that do; the others run once, however many pieces follow."""


class StreamedUses:
    """The uses of all scopes of a network, of which some inputs are streamed.

    `networks` are the network with all of its inputs, and without optional ones.
    """

    def __init__(self, networks: Iterable[Instance], streamed: Collection[str]) -> None:
        self.uses: dict[tuple[int, frozenset[str]], StreamedUse] = {}
        self._outputs: dict[tuple[int, frozenset[str]], frozenset[str]] = {}
        for one in networks:
            given = {port for port in streamed if one.inputs.get(port) is not None}
            self._visit(one.inferred, frozenset(given))

    def of(self, instance: Instance) -> list[StreamedUse]:
        """The uses of an instance, in each of which other inputs may be streamed."""
        key = id(instance.inferred)
        return [use for (one, _), use in self.uses.items() if one == key]

    def _visit(self, instance: Instance, ports: frozenset[str]) -> frozenset[str]:
        """The outputs of an instance that depend on these inputs."""
        key = id(instance), ports
        if key in self._outputs:
            return self._outputs[key]
        self._outputs[key] = frozenset(instance.outputs)  # where blocks are recursive
        values: dict[str, frozenset[str]] = {}
        for name, node in instance.nodes.items():
            values[name] = self._node(node, ports, values)
        layers = frozenset(name for name, found in values.items() if found)
        if ports:
            self.uses[key] = StreamedUse(instance, ports, layers)
        self._outputs[key] = frozenset(
            name
            for name, ref in instance.scope.outputs.items()
            if _depends(ref, instance, ports, values)
        )
        return self._outputs[key]

    def _node(
        self,
        node: TypedNode,
        ports: frozenset[str],
        values: Mapping[str, frozenset[str]],
    ) -> frozenset[str]:
        """The outputs of a layer that depend on what is streamed."""
        streamed = {
            port for port, ref in refs_of(node) if _streams(ref, node, ports, values)
        }
        found: frozenset[str] = frozenset()
        if not node.calls or node.routed is not None:  # an expert sees no positions
            return frozenset(node.outputs) if streamed else found
        for call in node.calls:
            found |= self._call(node, call, streamed)
        return found

    def _call(
        self, node: TypedNode, call: LayerCall, streamed: set[str]
    ) -> frozenset[str]:
        if call.instance is None or node.scan is not None:
            if call.instance is not None and streamed:
                self._visit(call.instance.inferred, frozenset(call.instance.inputs))
            return frozenset(node.outputs) if streamed else frozenset()
        fed = feeds(node.node.layer, call.outputs, node.inputs, node.each)
        repeat = node.node.layer.repeat
        while True:
            given = frozenset(streamed & call.instance.inputs.keys())
            found = self._visit(call.instance.inferred, given)
            again = {fed[name] for name in found if name in fed} if repeat else set()
            if again <= streamed:
                stack = repeat.stack if repeat else {}
                stacked = {name for name, port in stack.items() if port in found}
                items = {one for one in node.items if node.copy_port(one) in found}
                return found | stacked | items
            streamed |= again


def _streams(
    ref: Ref,
    node: TypedNode,
    ports: frozenset[str],
    values: Mapping[str, frozenset[str]],
) -> bool:
    if ref.node in values:
        found = values[ref.node]
        return bool(found) if not ref.port else ref.port in found
    return ref.node in ports


def _depends(
    ref: Ref,
    instance: Instance,
    ports: frozenset[str],
    values: Mapping[str, frozenset[str]],
) -> bool:
    if ref.node not in values:
        return ref.node in ports
    port = ref.port or next(iter(instance.nodes[ref.node].outputs), "")
    return port in values[ref.node]
