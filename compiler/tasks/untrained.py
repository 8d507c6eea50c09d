"""Layers whose parameters a task does not train: no output that it uses depends on them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from compiler.elaborate.unused import unused_layers
from compiler.ir.counts import ParameterCounter
from compiler.ir.graph import Node
from compiler.ir.typed import Instance, TypedGraph
from compiler.ops.creation import Detach
from compiler.tasks.ports import bound
from compiler.tasks.roles import Role


def untrained_layers(
    typed: TypedGraph, roles: tuple[Role, ...], ports: Mapping[str, str]
) -> Iterator[tuple[Node, list[str]]]:
    """The layers with parameters that no used output depends on, each with the unused outputs of its network.

    Args:
        typed: the networks.
        roles: the roles of the task.
        ports: the port of each role, where its name differs from the role's.
    """
    counter = ParameterCounter()
    for name, instance in typed.networks.items():
        outputs = instance.outputs
        used = {
            bound(outputs, role.name, ports)
            for role in roles
            if role.side == "output" and role.network in ("", name)
        }
        unused = [output for output in outputs if output not in used]
        if used.isdisjoint(outputs) or not unused:
            continue
        yield from ((node, unused) for node in _untrained(instance, used, counter))


def detaches(typed: TypedGraph) -> bool:
    """Whether a gradient ends in a layer of the networks: what is before it may learn nothing."""
    return any(
        isinstance(call.op, Detach)
        for instance in typed.instances
        for node in instance.nodes.values()
        for call in node.calls
    )


def _untrained(
    instance: Instance, used: set[str], counter: ParameterCounter
) -> Iterator[Node]:
    found = {node.name: node for node in unused_layers(instance.scope, used)}
    trained = set(instance.nodes) - found.keys()
    for name in trained:  # they may have the parameters of others
        node = instance.nodes[name]
        found.pop(node.node.shared, None)
        for tensor in node.ties.values():
            found.pop(tensor.partition(".")[0], None)
    for name, layer in found.items():
        if name in instance.nodes and counter.node(instance, instance.nodes[name]):
            yield layer
