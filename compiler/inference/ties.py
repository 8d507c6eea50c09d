"""`tie`: two tensors that are one must have one shape; and weights that are shared must fit both places."""

from __future__ import annotations

from collections.abc import Mapping

from compiler.diagnostics import Report
from compiler.graph import Scope
from compiler.op import Shape
from compiler.text import listed
from compiler.typed import Instance, TypedGraph, TypedNode, walk_instances


def check_ties(typed: TypedGraph, report: Report) -> None:
    """Report every tie and shared layer whose tensors do not fit."""
    for instance in walk_instances(typed.networks.values()):
        for node in instance.nodes.values():
            if node.node.layer.tie and node.calls:
                _check_tie(instance, node, report)
            if node.node.shared and node.calls:
                _check_shared(instance, node, report)


def _check_tie(instance: Instance, node: TypedNode, report: Report) -> None:
    own = node.calls[0].weights
    for name, path in (node.node.layer.tie or {}).items():
        place = node.node.place.at("tie", name)
        if name not in own:
            help = report.like(name, own) or f"its tensors are {listed(own)}"
            report.error(
                "bad-tie",
                place.span(key=True),
                f"{node.node.name} has no tensor {name}",
                help=help,
            )
            continue
        found = find_tensor(instance, path)
        if found is None:
            message = f"there is no tensor {path} in {instance.scope.name}"
            report.error(
                "bad-tie",
                place.span(),
                message,
                help="a tensor is named by its layer: wte.weight",
            )
            continue
        mine = [instance.context.value(size) for size in own[name]]
        if mine != list(found):
            shapes = f"{name} is [{', '.join(map(str, mine))}], {path} is [{', '.join(map(str, found))}]"
            report.error(
                "bad-tie", place.span(), f"tied tensors need one shape: {shapes}"
            )


def find_tensor(instance: Instance, path: str) -> Shape | None:
    """The shape, in values, of a tensor by its path of layers: `encoder.layers.0.norm.weight`."""
    name, _, rest = path.partition(".")
    node = instance.nodes.get(name)
    if node is None or not node.calls:
        return None
    if node.node.layer.repeat is not None and not node.node.layer.repeat.share:
        _, _, rest = rest.partition(".")
    if isinstance(node.target, Scope):
        inner = node.calls[0].instance
        return find_tensor(inner, rest) if inner is not None else None
    shape = node.calls[0].weights.get(rest)
    return (
        None if shape is None else tuple(instance.context.value(size) for size in shape)
    )


def _check_shared(instance: Instance, node: TypedNode, report: Report) -> None:
    origin = instance.nodes.get(node.node.shared)
    if origin is None or not origin.calls:
        return
    first, again = origin.calls[0], node.calls[0]
    if first.instance is not None and again.instance is not None:
        same = _all_weights(first.instance) == _all_weights(again.instance)
    else:
        same = _shapes(instance, first.weights) == _shapes(instance, again.weights)
    if not same:
        message = f"{node.node.name} would need weights of other shapes than {origin.node.name} has"
        report.error("bad-share", node.node.place.span("share"), message)


def _shapes(instance: Instance, weights: Mapping[str, Shape]) -> dict[str, Shape]:
    return {
        name: tuple(instance.context.value(size) for size in shape)
        for name, shape in weights.items()
    }


def _all_weights(instance: Instance) -> list[object]:
    found: list[object] = []
    for node in instance.nodes.values():
        for call in node.calls:
            found.append((call.count, _shapes(instance, call.weights)))
            if call.instance is not None:
                found.extend(_all_weights(call.instance))
    return found
