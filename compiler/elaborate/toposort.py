"""Putting the layers of a scope into an order that runs, or saying what goes in a circle."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from compiler.diagnostics.diagnostic import Report
from compiler.ir.graph import Node

if TYPE_CHECKING:
    import networkx as nx

_SHOWN = 8
"""Layers of a cycle that a message names."""


def in_order(
    inputs: Iterable[str], nodes: Mapping[str, Node], report: Report
) -> Mapping[str, Node]:
    """The layers in an order that runs: as written, where that does. None of them where they go in a circle."""
    names = list(inputs)
    seen = set(names)
    runs = True
    for node in nodes.values():
        runs = runs and all(ref.node in seen for _, ref in node.refs())
        seen.add(node.name)
    return nodes if runs else _sorted(names, nodes, report)


def _sorted(
    inputs: list[str], nodes: Mapping[str, Node], report: Report
) -> Mapping[str, Node]:
    import networkx as nx  # most layers stand in an order that runs

    positions = {name: position for position, name in enumerate([*inputs, *nodes])}
    edges: nx.DiGraph[str] = nx.DiGraph()
    edges.add_nodes_from(positions)
    edges.add_edges_from(
        (ref.node, node.name)
        for node in nodes.values()
        for _, ref in node.refs()
        if ref.node in positions
    )
    try:
        order = list(
            nx.lexicographical_topological_sort(edges, key=positions.__getitem__)
        )
    except nx.NetworkXUnfeasible:
        _report_cycle(nodes, report, edges)
        return {}
    return {name: nodes[name] for name in order if name in nodes}


def _report_cycle(
    nodes: Mapping[str, Node], report: Report, edges: nx.DiGraph[str]
) -> None:
    import networkx as nx

    cycle = [source for source, *_ in nx.find_cycle(edges)]
    around = [*cycle[:_SHOWN], "…"] if len(cycle) > _SHOWN else cycle
    shown = " → ".join([*around, cycle[0]])
    inside = set(cycle)
    first = next(name for name in nodes if name in inside)
    node = nodes[first]
    path = next(
        (ref.path for _, ref in node.refs() if ref.node in inside), node.place.path
    )
    message = f"{first} feeds itself: {shown}"
    help = "a recurrence is written with `scan` and `carry`"
    report.error("cycle", node.place.document.locate(path), message, help=help)
