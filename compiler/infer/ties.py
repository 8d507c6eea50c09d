"""Check `tie` and `share`: tied tensors, and the weights of shared layers, must have the same shapes."""

from __future__ import annotations

from collections.abc import Mapping
from keyword import iskeyword

from compiler.diagnostics.diagnostic import Report
from compiler.diagnostics.text import listed
from compiler.infer.call_op import op_inputs
from compiler.ir.graph import Scope
from compiler.ir.typed import Instance, LayerCall, TypedGraph, TypedNode
from compiler.op.op import Shape


def check_ties(typed: TypedGraph, report: Report) -> None:
    """Report every tie and shared layer whose tensors do not fit."""
    for instance in typed.instances:
        for node in instance.nodes.values():
            if node.ties and node.built:
                _check_tie(instance, node, report)
            elif node.node.layer.tie:
                _check_names(instance, node, report)
            if node.node.shared and node.built:
                _check_shared(instance, node, report)
            repeat = node.node.layer.repeat
            if repeat is not None and repeat.share:
                _check_copies(instance, node, report)


def _check_tie(instance: Instance, node: TypedNode, report: Report) -> None:
    own = node.built[0].weights
    for name, path in node.ties.items():
        place = node.node.place.at("tie", name)
        if "" in own:
            _report_tensor(node, name, report)
            continue
        if name not in own:
            help = report.like(name, own) or f"its tensors are {listed(own)}"
            _report_no_tensor(node, name, help, report)
            continue
        found = find_tensor(instance, path)
        if found is None:
            _report_absent(instance, node, name, path, report)
            continue
        if wrong := _no_origin(instance, path):
            report.error("bad-tie", place.span(), f"{path} {wrong}")
            continue
        mine = [instance.context.value(size) for size in own[name]]
        if mine == list(found):
            for left, right in zip(
                own[name], _named_shape(instance, path) or (), strict=False
            ):
                instance.context.note_equal(left, right, node.node)
        else:
            shapes = f"{name} is [{', '.join(map(str, mine))}], {path} is [{', '.join(map(str, found))}]"
            report.error(
                "bad-tie", place.span(), f"tied tensors need one shape: {shapes}"
            )


def _check_names(instance: Instance, node: TypedNode, report: Report) -> None:
    """Report ties to layers that do not exist, and what can name no tensor, also where the tie or the layer is off."""
    tie = node.node.layer.tie
    for name, path in tie.tensors.items() if tie else ():
        layer, dot, rest = path.partition(".")
        if layer not in instance.scope.nodes or (dot and not is_path(rest)):
            _report_absent(instance, node, name, path, report)
        elif not is_path(name):
            _report_no_tensor(node, name, "", report)


def is_path(text: str) -> bool:
    """Whether a text can name a tensor: names and numbers, with dots between."""
    return all(
        part.isdecimal()
        or (part.isascii() and part.isidentifier() and not iskeyword(part))
        for part in text.split(".")
    )


def _report_no_tensor(node: TypedNode, name: str, help: str, report: Report) -> None:
    message = f"{node.node.name} has no tensor {name}"
    span = node.node.place.at("tie", name).span(key=True)
    report.error("bad-tie", span, message, help=help)


def _report_tensor(node: TypedNode, name: str, report: Report) -> None:
    own = node.node.name
    message = f"{own} is itself a tensor, and takes no `tie`"
    help = f"another layer is tied to it, as in tie: {{weight: {own}}}"
    span = node.node.place.at("tie", name).span(key=True)
    report.error("bad-tie", span, message, help=help)


def _report_absent(
    instance: Instance, node: TypedNode, name: str, path: str, report: Report
) -> None:
    message = f"there is no tensor {path} in {instance.scope.name}"
    help = "a tensor is named by its layer: wte.weight"
    span = node.node.place.at("tie", name).span()
    layer = path.partition(".")[0]
    if find_tensor(instance, layer) is not None:
        help = f"{layer} is itself the tensor: write {layer}"
    missing = "" if layer in instance.scope.nodes else layer
    report.error("bad-tie", span, message, help=help, missing=missing)


def _named_shape(instance: Instance, path: str) -> Shape | None:
    """The shape of a tensor in the names of the scope; None where it is in a block, which has names of its own."""
    name, _, rest = path.partition(".")
    node = instance.nodes[name]
    if _numbered(node):
        return None
    inner = node.built[0].instance
    if inner is None:
        return node.built[0].weights.get(rest)
    return _named_shape(inner, rest) if inner.scope.kind == "group" else None


def find_tensor(instance: Instance, path: str) -> Shape | None:
    """The shape, in values, of a tensor by its path of layers: `encoder.layers.0.norm.weight`."""
    name, _, rest = path.partition(".")
    node = instance.nodes.get(name)
    if node is None or not node.built:
        return None
    if _numbered(node):
        number, _, rest = rest.partition(".")
        if not number.isdecimal() or int(number[:9]) >= sum(
            c.count for c in node.built
        ):
            return None
    if isinstance(node.target, Scope):
        inner = node.built[0].instance
        return find_tensor(inner, rest) if inner is not None else None
    shape = node.built[0].weights.get(rest)
    return (
        None if shape is None else tuple(instance.context.value(size) for size in shape)
    )


def _numbered(node: TypedNode) -> bool:
    """Whether a path through the layer goes through the number of a copy."""
    repeat = node.node.layer.repeat
    return repeat is not None and not repeat.share


def _no_origin(instance: Instance, path: str) -> str:
    """Why a tensor that is there cannot be what another is tied to."""
    name, _, rest = path.partition(".")
    node = instance.nodes[name]
    if node.node.shared:
        return f"is a tensor of {node.node.shared}: name that layer"
    if _numbered(node):
        _, _, rest = rest.partition(".")
    inner = node.built[0].instance
    if inner is not None:
        return _no_origin(inner, rest)
    return "is itself tied: name the tensor that is not" if rest in node.ties else ""


def _check_shared(instance: Instance, node: TypedNode, report: Report) -> None:
    origin = instance.nodes.get(node.node.shared)
    if origin is None or not origin.built:
        return
    if _made(instance, origin.built[0]) != _made(instance, node.built[0]):
        message = f"{node.node.name} would need weights of other shapes than {origin.node.name} has"
        report.error("bad-share", node.node.place.span("share"), message)


def _check_copies(instance: Instance, node: TypedNode, report: Report) -> None:
    """Copies that share their weights are one module that runs again: what makes it must be the same."""
    name, span = node.node.name, node.node.place.span("repeat", "share")
    for call in node.built[1:]:
        if _made(instance, node.built[0]) != _made(instance, call):
            message = f"copy {call.counter} of {name} would need weights of other shapes than copy 0 has"
            report.error("bad-share", span, message)
            return
        if _arguments(node.built[0]) != _arguments(call):
            message = f"copy {call.counter} of {name} would need other arguments than copy 0 has"
            help = "copies that share their weights are one module, with one set of arguments"
            report.error("bad-share", span, message, help=help)
            return


def _arguments(call: LayerCall) -> Mapping[str, object]:
    return call.instance.params if call.instance is not None else vars(call.op)


def _made(instance: Instance, call: LayerCall) -> object:
    """What the constructor of a layer makes: the shapes of all tensors, in values, and the sizes it is told."""
    if call.instance is not None:
        inner = call.instance
        nodes = inner.nodes.items()
        return [
            (name, [(c.count, _made(inner, c)) for c in node.built])
            for name, node in nodes
        ]
    op = call.op
    sizes = op.inferred(**op_inputs(type(op), call.inputs)) if op is not None else {}
    values = {name: instance.context.value(size) for name, size in sizes.items()}
    return _shapes(instance, call.weights), _shapes(instance, call.buffers), values


def _shapes(instance: Instance, weights: Mapping[str, Shape]) -> dict[str, Shape]:
    return {
        name: tuple(instance.context.value(size) for size in shape)
        for name, shape in weights.items()
    }
