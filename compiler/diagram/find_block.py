"""What a name that a picture prints stands for: a block, a network, or a layer that runs one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from compiler.diagnostics.diagnostic import RequestError, suggest
from compiler.diagnostics.text import listed, printable
from compiler.diagram.views import ScopeView
from compiler.ir.graph import Node, Scope
from compiler.ir.typed import Instance, TypedGraph


def find_block(
    typed: TypedGraph, name: str, copies: Mapping[Instance, int]
) -> ScopeView:
    """The view of what a name stands for, as all its uses have it.

    Args:
        name: of a block; of a layer or group, with the layers around it (`h.attn`) or without; or of a network.
        copies: how many copies of each instance the networks have.

    Raises:
        RequestError: if nothing has the name, if several blocks do, or if it is a layer that runs an op.
    """
    graph = typed.graph
    scope = graph.blocks.get(name)
    if scope is not None:
        uses = {one: count for one, count in copies.items() if one.scope is scope}
        return ScopeView(scope, uses, name)
    if name in graph.networks:
        instance = typed.networks.get(name)
        return ScopeView(graph.networks[name], {instance: 1} if instance else {}, name)
    found = [*_layers(typed, name.split("."), copies)]
    scopes = {scope: None for _, scope, _ in found}
    if not found:
        raise _unknown(typed, name)
    if len(scopes) > 1:
        blocks = listed(sorted({scope.name for scope in scopes}))
        raise RequestError(f"{printable(name)} is several blocks: {blocks}")
    (scope,) = scopes
    counts: Counter[Instance] = Counter()
    for _, _, inner in found:
        counts.update(inner)
    return ScopeView(scope, dict(counts), name.rpartition(".")[2])


def _layers(
    typed: TypedGraph, path: list[str], copies: Mapping[Instance, int]
) -> Iterator[tuple[Node, Scope, dict[Instance, int]]]:
    """The layers at the end of a path that starts anywhere, which run a block or a group, with the copies of it."""
    for instance, count in copies.items():
        reached = {instance: count}
        for number, step in enumerate(path):
            inner: Counter[Instance] = Counter()
            node = None
            for one, times in reached.items():
                typed_node = one.nodes.get(step)
                if typed_node is None:
                    continue
                node = typed_node.node
                for call in typed_node.calls:
                    if call.instance is not None:
                        inner[call.instance] += times * call.count
            reached = dict(inner)
            if node is not None and number == len(path) - 1:
                for scope in {one.scope: None for one in reached}:
                    runs = {one: n for one, n in reached.items() if one.scope is scope}
                    yield node, scope, runs


def _unknown(typed: TypedGraph, name: str) -> RequestError:
    graph, shown = typed.graph, printable(name)
    scopes = [*graph.blocks.values(), *graph.networks.values()]
    around = [scope.name for scope in scopes if name.rpartition(".")[2] in scope.nodes]
    if around:
        where = f"draw {listed(around)}" if any(around) else "draw the network"
        return RequestError(f"{shown} is a single layer and no block: {where}")
    known = [*graph.blocks, *(one for one in graph.networks if one)]
    hint = suggest(name, known) or f"there is {', '.join(known) or 'none'}"
    return RequestError(f"there is no block {shown}: {hint}")
