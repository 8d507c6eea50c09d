"""The tensors of a network's state, by their names in the generated module."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby

from compiler.dataclass import dataclass
from compiler.ir.counts import runs_with_weights
from compiler.ir.graph import Place
from compiler.ir.typed import Instance, LayerCall, TypedNode
from compiler.op.op import Shape

Sizes = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class OwnTensor:
    """A parameter or a buffer: its name, its shape, and the layer that has it.

    `origin` is the tensor that it is tied to; "" if there is none.
    """

    name: str
    shape: Sizes
    place: Place
    origin: str = ""


Numbers = Callable[[int, int], Iterable[int]]
"""The numbers of some of several equal copies, from the first and how many there are."""


def every_number(first: int, count: int) -> Iterable[int]:
    """The numbers of all copies."""
    return range(first, first + count)


def own_tensors(
    instance: Instance, prefix: str = "", numbers: Numbers = every_number
) -> Iterator[OwnTensor]:
    """The tensors of a network, or of a block whose name is the prefix.

    Args:
        numbers: the copies to list, of those whose tensors have the same shapes.
    """
    for node in instance.nodes.values():
        name = prefix + held_name(instance, node)
        for module, call in _modules(node, name, numbers):
            if call.instance is not None:
                yield from own_tensors(call.instance, f"{module}.", numbers)
            else:
                yield from _tensors(instance, node, call, module, prefix)


def count_tensors(instance: Instance, known: dict[Instance, int] | None = None) -> int:
    """The number of tensors; equal copies are not visited one by one."""
    known = {} if known is None else known
    instance = instance.inferred
    if instance not in known:
        known[instance] = sum(
            count * len({**call.weights, **call.buffers})
            if call.instance is None
            else count * count_tensors(call.instance, known)
            for node in instance.nodes.values()
            for count, call in runs_with_weights(node)
        )
    return known[instance]


def held_name(instance: Instance, node: TypedNode) -> str:
    """The prefix of a layer's tensors among those of its scope: its name.

    The layers of a group that is a list have their numbers, as in an `nn.Sequential`; other numbers get a word
    before them.
    """
    name = node.node.name
    numbered = name.isdigit() and not instance.scope.chain
    return f"layer_{name}" if numbered else name


def _modules(
    node: TypedNode, name: str, numbers: Numbers
) -> Iterator[tuple[str, LayerCall]]:
    """The copies of a layer that have weights of their own, each with its name."""
    repeat = node.node.layer.repeat
    number = 0
    for count, call in _equal_runs(node):
        if repeat is None or repeat.share:
            yield name, call
            continue
        yield from ((f"{name}.{k}", call) for k in numbers(number, count))
        number += count


def _equal_runs(node: TypedNode) -> Iterator[tuple[int, LayerCall]]:
    """The runs of a layer with weights of their own; of those that differ only in values one, and their number."""
    runs = groupby(runs_with_weights(node), key=_inferred)
    for _, equal in runs:
        count, call = next(equal)
        yield count + sum(more for more, _ in equal), call


def _inferred(run: tuple[int, LayerCall]) -> object:
    _, call = run
    return call if call.instance is None else call.instance.inferred


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
