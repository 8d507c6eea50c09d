"""Warns of images and series whose channels come last, as in Keras: torch's convolutions take [B, C, H, W]."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from compiler.diagnostics.diagnostic import Report
from compiler.expr.syntax import Expression, NumberLiteral, unparse
from compiler.ir.graph import Node, Scope
from compiler.symbolic.tensor import TypePattern

_COLORS = (1, 3, 4)
"""Numbers of channels that images have: grey, RGB, RGB with alpha."""


def warn_of_channels_last(networks: Iterable[Scope], report: Report) -> None:
    """Warn of every input of a network that a 2-D op reads, and whose last size is surely a number of channels."""
    for scope in networks:
        for node in scope.each_node():
            for name, pattern in _images(scope, node):
                *first, channels = map(unparse, pattern.dims)
                right = ", ".join((first[0], channels, *first[1:]))
                message = f"{name} has its {channels} channels last: {node.name} reads {first[1]} channels"
                help = f"channels come second: {pattern.kind}[{right}]"
                span = scope.place.at("inputs").at(name).span()
                report.warning("channels-last", span, message, help=help)


def _images(scope: Scope, node: Node) -> Iterator[tuple[str, TypePattern]]:
    target = node.target
    if not isinstance(target, type) or "2d" not in target.name:
        return
    for _, ref in node.refs():
        pattern = scope.inputs.get(ref.node)
        if pattern is not None and pattern.ellipsis is None and len(pattern.dims) == 4:
            _, second, _, last = pattern.dims
            if _is_color(last) and not _is_color(second):
                yield ref.node, pattern


def _is_color(size: Expression) -> bool:
    return isinstance(size, NumberLiteral) and size.value in _COLORS
