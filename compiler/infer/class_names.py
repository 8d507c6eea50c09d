"""Names of networks: each becomes a class, and a generated file may carry others."""

from __future__ import annotations

from collections.abc import Iterable

from compiler.diagnostics.diagnostic import Report
from compiler.ir.typed import Instance, TypedGraph, walk_instances
from compiler.op.library_sources import class_names


def check_class_names(typed: TypedGraph, report: Report) -> None:
    """Report a network that is called as a class which its ops bring along.

    A block of such a name is renamed: nobody imports it. The network's name is asked for.
    """
    carried = class_names(_libraries(typed.networks.values()))
    for name, instance in typed.networks.items():
        title = instance.scope.name
        if title in carried:
            path = ("networks", name) if name else ("name",)
            span = typed.graph.document.locate(path, key=bool(name))
            message = f"{title} is also a class that an op here brings along"
            report.error("duplicate-name", span, message)


def _libraries(networks: Iterable[Instance]) -> set[str]:
    return {
        call.op.library
        for instance in walk_instances(networks)
        for node in instance.nodes.values()
        for call in node.calls
        if call.op is not None and call.op.library
    }
