"""The tensors of a network's state, by the names that the generated module gives them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from compiler.ir.counts import runs_with_weights
from compiler.ir.graph import Place, Scope
from compiler.ir.sequential import is_chain
from compiler.ir.typed import Instance, LayerCall, TypedNode
from compiler.op.op import Shape

Sizes = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class OwnTensor:
    """A parameter or a buffer: its name, its shape, and the layer that has it.

    `origin` is the tensor that it is tied to, which has the same numbers; "" where it
    is tied to none.
    """

    name: str
    shape: Sizes
    place: Place
    origin: str = ""


def own_tensors(instance: Instance, prefix: str = "") -> Iterator[OwnTensor]:
    """The tensors of a network, or of a block whose name is the prefix."""
    for node in instance.nodes.values():
        for module, call in _modules(node, prefix + held_name(instance, node)):
            if call.instance is not None:
                yield from own_tensors(call.instance, f"{module}.")
            else:
                yield from _tensors(instance, node, call, module, prefix)


def held_name(instance: Instance, node: TypedNode) -> str:
    """What the tensors of a layer stand under in those of its scope: its name; numbers get a word before them."""
    name = node.node.name
    numbered = name.isdigit() and not _is_sequential(instance)
    return f"layer_{name}" if numbered else name


def _modules(node: TypedNode, name: str) -> Iterator[tuple[str, LayerCall]]:
    """The copies of a layer that have weights of their own, each with its name."""
    repeat = node.node.layer.repeat
    number = 0
    for count, call in runs_with_weights(node):
        if repeat is None or repeat.share:
            yield name, call
            continue
        yield from ((f"{name}.{number + k}", call) for k in range(count))
        number += count


def _tensors(
    instance: Instance, node: TypedNode, call: LayerCall, module: str, prefix: str
) -> Iterator[OwnTensor]:
    every: Mapping[str, Shape] = {**call.weights, **call.buffers}
    for name, shape in every.items():
        tied = node.ties.get(name)
        yield OwnTensor(
            f"{module}.{name}" if name else module,
            tuple(instance.context.value(size).constant or 0 for size in shape),
            node.node.place,
            f"{prefix}{tied}" if tied else "",
        )


def _is_sequential(instance: Instance) -> bool:
    """Whether the scope is an `nn.Sequential`, whose layers are known by number."""
    targets = [node.target for node in instance.nodes.values()]
    return is_chain(instance.scope) and all(
        isinstance(target, Scope) or (bool(target.module) and target.chains)
        for target in targets
    )
