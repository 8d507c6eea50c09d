"""What the proof of causality says of the layers of each instance, for the derivation of steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from compiler.causality.find_pieces import (
    LayerRun,
    Pieces,
    find_pieces,
    layer_run,
)
from compiler.causality.made_positions import makes_positions
from compiler.causality.prove import prove, streams
from compiler.ir.causal import CallFlow, Causality, NodeFlow, ScopeFlow
from compiler.ir.typed import Instance, LayerCall, TypedGraph
from compiler.language.params import Stepping
from compiler.lower.class_steps import Stream
from compiler.op.dependence import Dependence
from compiler.op.flow import Memory
from compiler.symbolic.symbols import Symbol


def stream(typed: TypedGraph, step: Stepping) -> Stream | None:
    """How a network goes on from piece to piece; None where no network has such inputs.

    With a task's step, the masks that have the dimension come in pieces as well.
    """
    for name, instance in typed.networks.items():
        inputs = streams(instance, step.dimension)
        masks = [n for n in inputs if (k := instance.inputs[n]) and k.kind == "bool"]
        if step.inputs is not None:
            inputs = tuple(n for n in inputs if n in step.inputs or n in masks)
        if inputs:
            found = prove(typed, step.dimension, inputs, name)
            axes = {one: _axis(found.scope.inputs[one]) for one in inputs}
            range_ = typed.graph.spec.dims.get(step.dimension)
            most = None if range_ is None else range_.max
            flows = CausalFlows(found, find_pieces(found))
            made = Stream(typed.each_way(name), axes, flows, step, most)
            return replace(made, batch=_batch(instance, *made.counted))
    return None


def _batch(instance: Instance, port: str, axis: int) -> Symbol | None:
    """The symbol of the first axis beside that of the positions, if it has one alone."""
    kind = instance.inputs[port]
    assert kind is not None
    others = (size for n, size in enumerate(kind.shape) if n != axis)
    first = next(others, None)
    return None if first is None else instance.context.value(first).alone


def _axis(flow: Dependence | None) -> int:
    """The axis that carries T."""
    assert flow is not None
    return next(n for n, axis in enumerate(flow.axes) if axis is not None)


class CausalFlows:
    """What each layer keeps between pieces, and which layers make positions, in any use of an instance."""

    def __init__(self, causality: Causality, pieces: Pieces) -> None:
        self._pieces = pieces
        self._counts: set[LayerRun] = set()
        self._seen: set[int] = set()
        for found in (causality, *causality.bare):
            self._scope(found.scope)

    def memory(self, use: Instance, layer: str, call: LayerCall) -> Memory | None:
        """What an op, or a scan, keeps between pieces."""
        return self._pieces.memory.get(layer_run(use, layer, call))

    def columns(
        self, use: Instance, layer: str, call: LayerCall
    ) -> Mapping[str, int | None]:
        """The operands that carry T, and the axis of those that an op keeps for all positions so far, else None."""
        return self._pieces.columns.get(layer_run(use, layer, call), {})

    def refused(self, use: Instance, layer: str, call: LayerCall) -> str:
        """Why a layer cannot run in pieces; "" if it can."""
        return self._pieces.refused.get(layer_run(use, layer, call), "")

    def not_given(self, output: str) -> str:
        """Why an output of the network cannot be given in pieces; "" if it can."""
        return self._pieces.outputs.get(output, "")

    def so_far(self, use: Instance) -> frozenset[str]:
        """The inputs of an instance that have all positions so far."""
        return frozenset(self._pieces.so_far.get(id(use.inferred), ()))

    def counts(self, use: Instance, layer: str, call: LayerCall) -> bool:
        """Whether an op makes positions: an axis of its output carries the dimension, and depends on no input."""
        return layer_run(use, layer, call) in self._counts

    def _scope(self, scope: ScopeFlow) -> None:
        if id(scope) in self._seen:
            return
        self._seen.add(id(scope))
        for name, node in scope.nodes.items():
            for call in node.calls:
                self._call(scope, name, node, call)

    def _call(
        self, scope: ScopeFlow, name: str, node: NodeFlow, call: CallFlow
    ) -> None:
        if call.call.op is not None and makes_positions(call):
            self._counts.add(layer_run(scope.instance, name, call.call))
        if call.inside is not None and not node.scanned:
            self._scope(call.inside)
