"""Outputs of blocks and groups that nothing reads: no code computes them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from compiler.elaborate.build_scope import ScopeBuilder
from compiler.ir.graph import Node, OpParam, Ref, Scope


def drop_unread(
    reached: Collection[Scope],
    builders: Mapping[Scope, ScopeBuilder],
    expected: Iterable[str],
) -> None:
    """Drop what no layer, output or expectation reads of the blocks and groups that networks are made of.

    The first output stays: it is what a layer is called by. Where a param names blocks, any may be called, and all
    outputs stay.

    Args:
        reached: the scopes of the networks, with those that they are made of.
        builders: what the scopes were built by.
        expected: the paths that the spec expects a type of.
    """
    nodes = [node for scope in reached for node in scope.each_node()]
    if any(isinstance(node.target, OpParam) for node in nodes):
        return
    named = {path.rpartition(".")[2] for path in expected}
    read: dict[Scope, set[str]] = {}
    for scope in reached:
        of_layers: dict[str, set[str]] = {}
        for ref in _refs(scope):
            of_layers.setdefault(ref.node, set()).add(ref.port)
        for node in scope.each_node():
            if isinstance(node.target, Scope):
                ports = read.setdefault(node.target, set(named))
                ports |= of_layers.get(node.name, set())
                ports.update(_handed_on(node, node.target))
    for scope, ports in read.items():
        others = list(scope.outputs)[1:]
        builders[scope].drop_outputs(name for name in others if name not in ports)


def _refs(scope: Scope) -> Iterator[Ref]:
    """What the layers and the outputs of a scope read."""
    yield from scope.outputs.values()
    for node in scope.nodes.values():
        yield from (ref for _, ref in node.refs())


def _handed_on(node: Node, target: Scope) -> Iterator[str]:
    """The outputs that a copy, or a step of a scan, hands on, and those that are stacked or collected."""
    repeat = node.layer.repeat
    if node.layer.scan is not None:
        yield from target.outputs
    if repeat is not None:
        yield from repeat.stack.values()
        yield from repeat.collect.values()
        yield from (name for name in target.outputs if name in node.inputs)
