"""A layer by its path through the blocks: `h.attn.c_attn`, `layer2[0].downsample.0`."""

from __future__ import annotations

import re

from compiler.dataclass import dataclass
from compiler.diagnostics.diagnostic import RequestError, suggest
from compiler.ir.typed import Instance, LayerCall, TypedGraph, TypedNode

_STEP = re.compile(r"(?P<name>\w+)(?:\[(?P<copy>\d{1,9})\])?")


@dataclass(frozen=True, slots=True)
class PathStep:
    """A layer, and one of its runs; None if it is off."""

    instance: Instance
    node: TypedNode
    call: LayerCall | None


def find_layer(typed: TypedGraph, path: str) -> tuple[PathStep, ...]:
    """The layers on a path, the last one included.

    Raises:
        RequestError: where there is none; the message says how far the path leads.
    """
    instance, rest = _network(typed, path)
    steps: list[PathStep] = []
    for part in rest.split("."):
        if instance is None:
            raise RequestError(f"{steps[-1].node.node.name} holds no layers in {path}")
        step = _step(instance, part)
        steps.append(step)
        instance = step.call.instance if step.call else None
    return tuple(steps)


def _network(typed: TypedGraph, path: str) -> tuple[Instance | None, str]:
    if "" in typed.networks:
        return typed.networks[""], path
    name, _, rest = path.partition(".")
    if name not in typed.networks or not rest:
        known = ", ".join(typed.networks) or "none, the spec has blocks alone"
        raise RequestError(f"the path starts with a network: {known}")
    return typed.networks[name], rest


def _step(instance: Instance, part: str) -> PathStep:
    match = _STEP.fullmatch(part)
    node = instance.nodes.get(match["name"]) if match else None
    if match is None or node is None:
        like = suggest(part.partition("[")[0], instance.nodes)
        hint = like or f"its layers are {', '.join(instance.nodes)}"
        raise RequestError(f"there is no layer {part} in {instance.scope.name}; {hint}")
    if match["copy"] is None:
        return PathStep(instance, node, node.calls[0] if node.calls else None)
    return PathStep(instance, node, _copy(node, int(match["copy"])))


def _copy(node: TypedNode, number: int) -> LayerCall:
    """The run that a copy of a repeated layer is part of."""
    for call in node.calls:
        if call.counter <= number < call.counter + call.count:
            return call
    name = node.node.name
    raise RequestError(f"there is no copy {number} of {name}: it has {node.count}")
