"""Putting the layers of a scope into an order that runs, or saying what goes in a circle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from compiler.diagnostics.diagnostic import Report
from compiler.ir.graph import Scope

if TYPE_CHECKING:
    import networkx as nx

_SHOWN = 8
"""Layers of a cycle that a message names."""


def put_in_order(scope: Scope, report: Report) -> None:
    """Put the layers into an order that runs; as written, where that does."""
    seen = set(scope.inputs)
    in_order = True
    for node in scope.nodes.values():
        in_order = in_order and all(ref.node in seen for _, ref in node.refs())
        seen.add(node.name)
    if not in_order:
        _sort(scope, report)


def _sort(scope: Scope, report: Report) -> None:
    import networkx as nx  # most layers stand in an order that runs

    positions = {
        name: position for position, name in enumerate([*scope.inputs, *scope.nodes])
    }
    edges = nx.DiGraph(scope.edges)
    edges.remove_nodes_from([name for name in edges if name not in positions])
    try:
        order = list(
            nx.lexicographical_topological_sort(edges, key=positions.__getitem__)
        )
    except nx.NetworkXUnfeasible:
        _report_cycle(scope, report, edges)
        return
    scope.nodes = {name: scope.nodes[name] for name in order if name in scope.nodes}


def _report_cycle(scope: Scope, report: Report, edges: nx.DiGraph[str]) -> None:
    import networkx as nx

    cycle = [source for source, *_ in nx.find_cycle(edges)]
    around = [*cycle[:_SHOWN], "…"] if len(cycle) > _SHOWN else cycle
    shown = " → ".join([*around, cycle[0]])
    inside = set(cycle)
    first = next(name for name in scope.nodes if name in inside)
    node = scope.nodes[first]
    path = next(
        (ref.path for _, ref in node.refs() if ref.node in inside), node.place.path
    )
    message = f"{first} feeds itself: {shown}"
    help = "a recurrence is written with `scan` and `carry`"
    report.error("cycle", node.place.document.locate(path), message, help=help)
    scope.nodes = {}
