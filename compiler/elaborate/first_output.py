"""Warns where one of several pieces is read, and none is named: `in: halves` after a `chunk` is `halves.0`."""

from __future__ import annotations

from collections.abc import Iterable

from compiler.diagnostics.diagnostic import Report
from compiler.ir.graph import Node, Scope
from compiler.op.op import NumberedOutputs


def warn_of_first_output(scopes: Iterable[Scope], report: Report) -> None:
    """Warn of every layer with numbered outputs of which the first alone is read, without its number."""
    for scope in scopes:
        read: dict[str, set[str]] = {}
        readers: dict[str, Node] = {}
        for node in scope.nodes.values():
            for _, ref in node.refs():
                read.setdefault(ref.node, set()).add(ref.port)
                readers.setdefault(ref.node, node)
        for ref in scope.outputs.values():
            read.setdefault(ref.node, set()).add(ref.port)
        for name, ports in read.items():
            source = scope.nodes.get(name)
            if source and ports == {""} and _has_numbered_outputs(source):
                reader = readers.get(name, source)
                where = reader.name if name in readers else scope.name
                message = f"{where} reads the first output of {name} alone"
                help = f"write {name}.0 if it is meant, or name others: {name}.1"
                home = reader.place if name in readers else source.place
                at = home.span("in") if home.has("in") else home.span(key=True)
                report.warning("implicit-output", at, message, help=help)


def _has_numbered_outputs(node: Node) -> bool:
    """Whether a layer is one run of an op whose outputs have numbers."""
    target = node.target
    plain = node.layer.repeat is None and node.layer.scan is None
    return plain and isinstance(target, type) and issubclass(target, NumberedOutputs)
