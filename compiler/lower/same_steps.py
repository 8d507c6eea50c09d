"""Whether two graphs of one spec are run in pieces by the same code, so that one proof of that does for both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from compiler.dataclass import dataclass
from compiler.ir.typed import Instance, LayerCall, TypedNode, Types
from compiler.lower.class_steps import Stream
from compiler.op.op import Op
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType

_LIKE_NUMBERS = (int, float, Dim)


def same_steps(one: Stream, two: Stream) -> bool:
    """Whether the layers of two graphs that the same classes serve keep the same, and differ in numbers alone.

    Everything that the derivation of a step asks of a graph is compared, apart from sizes.
    """
    return _SameSteps(one, two).networks()


@dataclass(eq=False)
class _SameSteps:
    one: Stream
    two: Stream

    def __post_init__(self) -> None:
        self._seen: set[tuple[int, int]] = set()

    def networks(self) -> bool:
        one, two = self.one, self.two
        outputs = one.networks[0].scope.outputs
        return (
            one.axes == two.axes
            and (one.batch is None) == (two.batch is None)
            and all(
                one.flows.not_given(name) == two.flows.not_given(name)
                for name in outputs
            )
            and len(one.networks) == len(two.networks)
            and all(map(self._instances, one.networks, two.networks))
        )

    def _instances(self, one: Instance, two: Instance) -> bool:
        one, two = one.inferred, two.inferred
        key = id(one), id(two)
        if key in self._seen:
            return True
        self._seen.add(key)
        return (
            one.scope is two.scope
            and one.nodes.keys() == two.nodes.keys()
            and self.one.flows.so_far(one) == self.two.flows.so_far(two)
            and self._types(one, one.inputs, two, two.inputs)
            and all(
                self._layers(one, node, two, two.nodes[name])
                for name, node in one.nodes.items()
            )
        )

    def _layers(self, one: Instance, a: TypedNode, two: Instance, b: TypedNode) -> bool:
        return (
            a.inputs == b.inputs
            and len(a.calls) == len(b.calls)
            and (a.scan and a.scan.axes) == (b.scan and b.scan.axes)
            and self._types(one, a.outputs, two, b.outputs)
            and all(
                self._runs(a.node.name, one, first, two, second)
                for first, second in zip(a.calls, b.calls, strict=True)
            )
        )

    def _runs(
        self, layer: str, one: Instance, a: LayerCall, two: Instance, b: LayerCall
    ) -> bool:
        if (a.count > 1) != (b.count > 1) or not self._types(
            one, a.inputs, two, b.inputs
        ):
            return False
        if kept_by(self.one, one, layer, a) != kept_by(self.two, two, layer, b):
            return False
        if a.instance is not None and b.instance is not None:
            return self._instances(a.instance, b.instance)
        return a.op is not None and b.op is not None and _same_op(a.op, b.op)

    def _types(self, one: Instance, a: Types, two: Instance, b: Types) -> bool:
        """Whether values are there or not alike, and have their batches at the same places."""
        return list(batch_places(self.one, one, a)) == list(
            batch_places(self.two, two, b)
        )


def kept_by(
    stream: Stream, use: Instance, layer: str, call: LayerCall
) -> tuple[tuple[Any, ...] | None, dict[str, int | None], str, bool]:
    """What a run keeps between pieces, apart from sizes.

    They are its memory, its operands that come in pieces with the axis of those that it keeps, why it cannot run in
    pieces, and whether it makes positions.
    """
    flows = stream.flows
    memory = flows.memory(use, layer, call)
    kept: tuple[Any, ...] | None = (
        None
        if memory is None
        else (
            memory.kind,
            memory.axis,
            memory.places is None,
            call.op is not None and call.op.can_resume(memory.past_axis),
            *map(len, memory.shapes),
        )
    )
    columns = dict(flows.columns(use, layer, call))
    refused = flows.refused(use, layer, call)
    return kept, columns, refused, flows.counts(use, layer, call)


def _same_op(one: Op, two: Op) -> bool:
    """Whether two ops are one op whose arguments differ in numbers alone."""
    a, b = vars(one), vars(two)
    return (
        type(one) is type(two)
        and a.keys() == b.keys()
        and all(_same_but_for_numbers(a[name], b[name]) for name in a)
    )


def _same_but_for_numbers(one: Any, two: Any) -> bool:
    if isinstance(one, tuple | list) and isinstance(two, tuple | list):
        return len(one) == len(two) and all(map(_same_but_for_numbers, one, two))
    if isinstance(one, bool) or isinstance(two, bool):
        return one is two
    numbers = isinstance(one, _LIKE_NUMBERS) and isinstance(two, _LIKE_NUMBERS)
    return numbers or bool(one == two)


def batch_places(
    stream: Stream, use: Instance, types: Types | Mapping[str, TensorType]
) -> Iterator[object]:
    """For each value, whether it is there, its rank, and the axes that have the batch, alone or in a product."""
    for port, kind in types.items():
        for one in kind if isinstance(kind, tuple) else (kind,):
            if one is None:
                yield port, None
                continue
            sizes = [use.context.value(size) for size in one.shape]
            batch = stream.batch
            axes = [
                (n, size.alone == batch)
                for n, size in enumerate(sizes)
                if batch is not None and batch in size.symbols
            ]
            yield port, one.rank, axes
