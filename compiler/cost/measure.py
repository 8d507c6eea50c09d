"""TypedGraph -> Summary: the parameters, FLOPs and activations of every layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from compiler.cost.costs import Cost, CostCounter
from compiler.cost.parameter_formulas import FormulaCounter, product_or_none
from compiler.cost.summary import LayerSummary, PortType, ScopeSummary, Size, Summary
from compiler.ir.counts import ParameterCounter
from compiler.ir.graph import Scope
from compiler.ir.typed import Instance, LayerCall, TypedGraph, TypedNode
from compiler.op.arg_types import Formula
from compiler.op.context import Context
from compiler.symbolic.dims import Dim
from compiler.symbolic.symbols import Symbol
from compiler.symbolic.tensor import TensorType


def measure(typed: TypedGraph) -> Summary:
    """Summarise every network.

    Each distinct instance of a block is measured once, however often it is used.
    """
    measurer = _Measurer()
    networks = {
        name: measurer.scope(instance) for name, instance in typed.networks.items()
    }
    symbols = {
        str(symbol): instance.context.domain.constraint(symbol)
        for instance in typed.networks.values()
        for symbol in _symbols(instance)
    }
    return Summary(typed.graph.spec.name, typed.params, networks, symbols)


class _Measurer:
    """Summarises instances, each distinct one once."""

    def __init__(self) -> None:
        self.counter, self.formulas, self.costs = (
            ParameterCounter(),
            FormulaCounter(),
            CostCounter(),
        )
        self._scopes: dict[int, ScopeSummary] = {}

    def scope(self, instance: Instance) -> ScopeSummary:
        found = self._scopes.get(id(instance))
        if found is None:
            found = self._scopes[id(instance)] = (
                self._like(self.scope(instance.inferred), instance)
                if instance.types_of
                else self._scope(instance)
            )
        return found

    def _scope(self, instance: Instance) -> ScopeSummary:
        return ScopeSummary(
            instance.scope.name,
            instance.scope.kind,
            _types(instance.context, instance.inputs),
            _types(instance.context, instance.outputs),
            tuple(self._layer(instance, node) for node in instance.nodes.values()),
            self._size_of(instance),
        )

    def _like(self, same: ScopeSummary, instance: Instance) -> ScopeSummary:
        """The summary of an instance that differs only in values, as do the scopes inside it."""
        layers = zip(same.layers, instance.nodes.values(), strict=True)
        own = tuple(
            replace(
                layer, inside=self._inside(instance, node, layer.size, layer.outputs)
            )
            if layer.inside is not None
            else layer
            for layer, node in layers
        )
        return replace(same, layers=own)

    def _size_of(self, instance: Instance) -> Size:
        cost = self.costs.instance(instance)
        formula = self.formulas.instance(instance)
        return _size(self.counter.instance(instance), formula, cost)

    def _layer(self, instance: Instance, node: TypedNode) -> LayerSummary:
        size = _size(
            self.counter.node(instance, node),
            self.formulas.node(instance, node),
            self.costs.node(instance, node),
        )
        outputs = _types(instance.context, node.without_items)
        inside = self._inside(instance, node, size, outputs)
        return LayerSummary(
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
        outputs: tuple[PortType, ...],
    ) -> ScopeSummary | None:
        if len(node.calls) > 1:
            copies = tuple(self._copies(instance, node, call) for call in node.calls)
            inputs = _inputs(instance.context, node.calls[0])
            return ScopeSummary(_op(node), "copies", inputs, outputs, copies, size)
        inner = node.calls[0].instance if node.calls else None
        return None if inner is None else self.scope(inner)

    def _copies(
        self, instance: Instance, node: TypedNode, call: LayerCall
    ) -> LayerSummary:
        """The equal copies of a repeated layer that a call stands for."""
        parameters = self.counter.call(instance, node, call)
        formula = self.formulas.call(instance, node, call)
        cost = self.costs.call(instance, call).times(call.count)
        owned = _copies_with_weights(node, call)
        return LayerSummary(
            _numbered(node.node.name, call),
            _op(node),
            call.count,
            _types(instance.context, call.outputs),
            _size(owned * parameters, product_or_none(formula, owned), cost),
            (),
            None if call.instance is None else self.scope(call.instance),
        )


def _copies_with_weights(node: TypedNode, call: LayerCall) -> int:
    """How many of a call's copies have weights of their own, not shared ones."""
    repeat = node.node.layer.repeat
    if node.node.shared:
        return 0
    if repeat is not None and repeat.share:
        return 1 if call is node.calls[0] else 0
    return call.count


def _size(parameters: int, formula: Dim | None, cost: Cost) -> Size:
    return Size(parameters, formula, cost.flops, cost.activations)


def _op(node: TypedNode) -> str:
    if not isinstance(node.target, Scope):
        return node.target.name
    return "group" if node.target.kind == "group" else node.target.name


def _numbered(name: str, call: LayerCall) -> str:
    """The copies of a call: `layer1[0]`, or as a slice `layer1[1:3]`."""
    first, count = call.counter, call.count
    return f"{name}[{first}]" if count == 1 else f"{name}[{first}:{first + count}]"


def _notes(instance: Instance, node: TypedNode) -> list[str]:
    layer = node.node.layer
    notes = []
    if node.idle and isinstance(layer.when, Formula):
        notes.append(f"when {layer.when.text}")
    elif not node.calls:
        notes.append("off" if not node.active else "no copies")
    if node.node.shared:
        notes.append(f"shares {node.node.shared}")
    if layer.repeat is not None and layer.repeat.share:
        notes.append("shared weights")
    if node.routed is not None:
        per_token = instance.context.value(node.routed.per_token)
        notes.append(f"{per_token} for each token")
    elif layer.repeat is not None and not layer.repeat.chained:
        notes.append("side by side")
    if node.each:
        notes.append("item by item")
    for name, other in node.ties.items():
        notes.append(f"{name} tied to {other}")
    if node.scan is not None:
        backwards = ", backwards" if layer.reverse else ""
        length = instance.context.value(node.scan.length)
        notes.append(f"scan along {length}{backwards}")
    return notes


def _types(
    context: Context, types: Mapping[str, TensorType | None]
) -> tuple[PortType, ...]:
    return tuple(
        PortType(port, type, context.values(type))
        for port, type in types.items()
        if type is not None
    )


def _inputs(context: Context, call: LayerCall) -> tuple[PortType, ...]:
    single = {k: v for k, v in call.inputs.items() if not isinstance(v, tuple)}
    return _types(context, single)


def _symbols(instance: Instance) -> list[Symbol]:
    """The symbols in the shapes of a network's inputs, in the order of the inputs."""
    found: dict[Symbol, None] = {}
    for type in instance.inputs.values():
        for size in type.shape if type else ():
            found |= dict.fromkeys(sorted(instance.context.value(size).symbols))
    return list(found)
