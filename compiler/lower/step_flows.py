"""What the proof of causality says of the layers of each instance, for the derivation of steps."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.causality.prove import prove, streams
from compiler.ir.causal import CallFlow, Causality, NodeFlow, ScopeFlow
from compiler.ir.typed import Instance, LayerCall, TypedGraph
from compiler.language.params import Stepping
from compiler.lower.class_steps import Stream
from compiler.op.dependence import Dependence, parts
from compiler.op.flow import Memory
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType

_SCANNED = Memory("state", ())
_Key = tuple[int, str, int]


def stream(typed: TypedGraph, step: Stepping) -> Stream | None:
    """How a network goes on from piece to piece; None where no network has such inputs.

    With a task's step, the masks that have the dimension come in pieces as well.
    """
    for name, instance in typed.networks.items():
        inputs = streams(instance, step.dimension)
        if step.inputs is not None:
            masks = {n for n, k in instance.inputs.items() if k and k.kind == "bool"}
            inputs = tuple(n for n in inputs if n in step.inputs or n in masks)
        if inputs:
            found = prove(typed, step.dimension, inputs, name)
            flows = found.scope.inputs
            axes = {one: _axis(flows[one]) for one in inputs}
            range_ = typed.graph.spec.dims.get(step.dimension)
            most = None if range_ is None else range_.max
            return Stream(instance, axes, CausalFlows(found), most)
    return None


def _axis(flow: Dependence | None) -> int:
    """The axis that carries T."""
    assert flow is not None
    return next(n for n, axis in enumerate(flow.axes) if axis is not None)


class CausalFlows:
    """What each layer keeps between pieces, and which layers make positions, in any use of an instance."""

    def __init__(self, causality: Causality) -> None:
        self._memory: dict[_Key, Memory] = {}
        self._counts: set[_Key] = set()
        self._refused: dict[_Key, str] = {}
        kinds = causality.scope.instance.inputs
        self._has_mask = any(
            (kind := kinds[name]) is not None and kind.kind == "bool"
            for name in causality.inputs
        )
        self._seen: set[int] = set()
        for found in (causality, causality.bare):
            if found is not None:
                self._scope(found.scope)

    def memory(self, use: Instance, layer: str, call: LayerCall) -> Memory | None:
        """What an op, or a scan, keeps between pieces."""
        return self._memory.get(_key(use, layer, call))

    def refused(self, use: Instance, layer: str, call: LayerCall) -> str:
        """Why an op cannot run in pieces; "" if it can."""
        return self._refused.get(_key(use, layer, call), "")

    def counts(self, use: Instance, layer: str, call: LayerCall) -> bool:
        """Whether an op makes positions: its output carries the dimension, and depends on no input along it."""
        return _key(use, layer, call) in self._counts

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
        key = _key(scope.instance, name, call.call)
        if call.call.op is not None and (reason := _refusal(call, self._has_mask)):
            self._refused[key] = reason
        memory = call.memory
        if memory is not None and memory.kind == "fixed keys":
            memory = None  # of layers that run once
        if memory is not None and not _is_supplied(scope.instance, call, memory):
            self._memory[key] = memory
        elif node.scanned:
            self._memory[key] = _SCANNED
        if call.call.op is not None and _makes_positions(call):
            self._counts.add(key)
        if call.inside is not None and not node.scanned:
            self._scope(call.inside)


def _key(instance: Instance, layer: str, call: LayerCall) -> _Key:
    return id(instance.inferred), layer, call.counter


def _refusal(call: CallFlow, has_mask: bool) -> str:
    """Why the code of an op is wrong for a piece, whose columns are of all positions, and whose rows are new."""
    keeps = call.memory is not None and call.memory.kind == "keys"
    for flow in call.outputs.values():
        axes = [axis for axis in flow.axes if axis is not None]
        if flow.start or any(part.rate != 1 for axis in axes for part in parts(axis)):
            return (
                "its places are not one for each position, and it cannot run in pieces"
            )
        if len(axes) > 1 and all(part.needs for axis in axes for part in parts(axis)):
            return "it pairs positions with positions, which attention alone keeps"
    given = max((_along(one) for one in _inputs(call)), default=0)
    left = max(map(_along, call.outputs.values()), default=0)
    if not keeps and given > 1 and left < given:
        return "it contracts positions, which attention alone keeps"
    if keeps and not has_mask and any(map(_needs, _masks(call))):
        return "its mask is computed from what comes in pieces: give it as an input"
    return ""


def _along(flow: Dependence) -> int:
    """How many axes carry T."""
    return sum(axis is not None for axis in flow.axes)


def _masks(call: CallFlow) -> Iterator[Dependence]:
    for port, one in call.inputs.items():
        if port in ("mask", "bias") and isinstance(one, Dependence):
            yield one


def _is_supplied(instance: Instance, call: CallFlow, memory: Memory) -> bool:
    """Whether the earlier places that windows read are part of the input: padding in front has put them there.

    A value of T + e elements begins e positions before its piece.
    """
    sizes = [
        _size_along(flow, kind)
        for flow, kind in (
            *((one, call.call.inputs.get(port)) for port, one in call.inputs.items()),
            *((one, call.call.outputs[port]) for port, one in call.outputs.items()),
        )
        if isinstance(flow, Dependence) and isinstance(kind, TensorType)
    ]
    known = [size for size in sizes if size is not None]
    if memory.kind != "window" or memory.places is None or len(known) < 2:
        return False
    return instance.context.value(known[0] - known[-1]) == memory.places


def _size_along(flow: Dependence, kind: TensorType) -> Dim | None:
    """The size of the axis that carries T."""
    found = [kind.shape[n] for n, axis in enumerate(flow.axes) if axis is not None]
    return found[0] if len(found) == 1 else None


def _makes_positions(call: CallFlow) -> bool:
    """Whether outputs carry the dimension without need of an input, and an input does otherwise."""
    given = any(_needs(one) for one in _inputs(call))
    return given and any(
        one.carries and not _needs(one) for one in call.outputs.values()
    )


def _inputs(call: CallFlow) -> Iterator[Dependence]:
    for one in call.inputs.values():
        if isinstance(one, tuple):
            yield from one
        elif one is not None:
            yield one


def _needs(flow: Dependence) -> bool:
    return any(part.needs for axis in flow.axes for part in parts(axis))
