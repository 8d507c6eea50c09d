"""TypedGraph -> Summary: parameters, operations and activations of every layer."""

from __future__ import annotations

from collections.abc import Mapping

from compiler.cost.costs import Cost, Costs
from compiler.cost.parameter_formulas import FormulaCounter, times
from compiler.cost.summary import Row, Section, Size, Summary, Typed
from compiler.ir.counts import Counter
from compiler.ir.graph import Scope
from compiler.ir.typed import Call, Instance, TypedGraph, TypedNode
from compiler.op.context import Context
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType


def measure(typed: TypedGraph) -> Summary:
    """Measure every network.

    A block costs one walk for each of its distinct uses, however often it is used.
    """
    measurer = _Measurer()
    networks = {
        name: measurer.section(instance) for name, instance in typed.networks.items()
    }
    symbols = {
        name: instance.context.domain.constraint(name)
        for instance in typed.networks.values()
        for name in _symbols(instance)
    }
    return Summary(typed.graph.spec.name, typed.params, networks, symbols)


class _Measurer:
    """Makes the sections of a summary, one for each instance."""

    def __init__(self) -> None:
        self.counter, self.formulas, self.costs = Counter(), FormulaCounter(), Costs()
        self._sections: dict[int, Section] = {}

    def section(self, instance: Instance) -> Section:
        """The rows of an instance."""
        found = self._sections.get(id(instance))
        if found is None:
            found = self._sections[id(instance)] = Section(
                instance.scope.name,
                instance.scope.kind,
                _types(instance.context, instance.inputs),
                _types(instance.context, instance.outputs),
                tuple(self._row(instance, node) for node in instance.nodes.values()),
                self._size_of(instance),
            )
        return found

    def _size_of(self, instance: Instance) -> Size:
        cost = self.costs.instance(instance)
        formula = self.formulas.instance(instance)
        return _size(self.counter.instance(instance), formula, cost)

    def _row(self, instance: Instance, node: TypedNode) -> Row:
        size = _size(
            self.counter.node(instance, node),
            self.formulas.node(instance, node),
            self.costs.node(instance, node),
        )
        outputs = _types(instance.context, node.outputs)
        inside = self._inside(instance, node, size, outputs)
        return Row(
            node.node.name,
            _op(node),
            node.count,
            outputs,
            size,
            tuple(_notes(instance, node)),
            inside,
        )

    def _inside(
        self,
        instance: Instance,
        node: TypedNode,
        size: Size,
        outputs: tuple[Typed, ...],
    ) -> Section | None:
        if len(node.calls) > 1:
            rows = tuple(self._copies(instance, node, call) for call in node.calls)
            inputs = _inputs(instance.context, node.calls[0])
            return Section(_op(node), "copies", inputs, outputs, rows, size)
        inner = node.calls[0].instance if node.calls else None
        return None if inner is None else self.section(inner)

    def _copies(self, instance: Instance, node: TypedNode, call: Call) -> Row:
        """The copies of a repeated layer that one run stands for."""
        alone = self.counter.call(instance, node, call)
        formula = self.formulas.call(instance, node, call)
        cost = self.costs.call(instance, call).times(call.count)
        owned = 0 if _weightless(node, call) else _owned(node, call)
        return Row(
            _numbered(node.node.name, call),
            _op(node),
            call.count,
            _types(instance.context, call.outputs),
            _size(owned * alone, times(formula, owned), cost),
            (),
            None if call.instance is None else self.section(call.instance),
        )


def _weightless(node: TypedNode, call: Call) -> bool:
    """Whether the weights of these copies are those of others."""
    repeat = node.node.layer.repeat
    again = repeat is not None and repeat.share and call is not node.calls[0]
    return bool(node.node.shared) or again


def _owned(node: TypedNode, call: Call) -> int:
    repeat = node.node.layer.repeat
    return 1 if repeat is not None and repeat.share else call.count


def _size(parameters: int, formula: Dim | None, cost: Cost) -> Size:
    return Size(parameters, formula, cost.flops, cost.activations)


def _op(node: TypedNode) -> str:
    if not isinstance(node.target, Scope):
        return node.target.name
    return "group" if node.target.kind == "group" else node.target.name


def _numbered(name: str, call: Call) -> str:
    """`layer1[0]`, or as a slice where there are several: `layer1[1:3]`."""
    first, count = call.counter, call.count
    return f"{name}[{first}]" if count == 1 else f"{name}[{first}:{first + count}]"


def _notes(instance: Instance, node: TypedNode) -> list[str]:
    layer = node.node.layer
    notes = []
    if not node.calls:
        notes.append("off" if not node.active else "no copies")
    if node.node.shared:
        notes.append(f"shares {node.node.shared}")
    if layer.repeat is not None and layer.repeat.share:
        notes.append("shared weights")
    for name, other in node.ties.items():
        notes.append(f"{name} tied to {other}")
    if node.scan is not None:
        backwards = ", backwards" if layer.reverse else ""
        length = instance.context.value(node.scan.length)
        notes.append(f"scan along {length}{backwards}")
    return notes


def _types(
    context: Context, types: Mapping[str, TensorType | None]
) -> tuple[Typed, ...]:
    return tuple(
        Typed(port, kind, context.values(kind))
        for port, kind in types.items()
        if kind is not None
    )


def _inputs(context: Context, call: Call) -> tuple[Typed, ...]:
    one = {k: v for k, v in call.inputs.items() if not isinstance(v, tuple)}
    return _types(context, one)


def _symbols(instance: Instance) -> list[str]:
    """The symbols of a network's inputs, in the order of the inputs."""
    found: dict[str, None] = {}
    for kind in instance.inputs.values():
        for size in kind.shape if kind else ():
            found |= dict.fromkeys(sorted(instance.context.value(size).symbols))
    return list(found)
