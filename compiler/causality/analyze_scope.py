"""What the values of a scope depend on, layer by layer; blocks are summarised once for each kind of use."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import field
from itertools import count
from types import MappingProxyType

from compiler.causality.compose_flows import (
    composed,
    entered,
    hulled,
    pattern,
    ports_read,
    widened,
)
from compiler.dataclass import dataclass, replace
from compiler.infer.repeats import feeds, for_copy
from compiler.ir.causal import CallFlow, NodeFlow, ScopeFlow
from compiler.ir.graph import Ref
from compiler.ir.typed import Instance, LayerCall, Scan, TypedNode
from compiler.op.combine_flows import all_of, join, meet, plus, with_axes, without
from compiler.op.dependence import SIZE, Along, AxisFlow, Dependence
from compiler.op.flow import Flow, FlowCall, flow_rule, unknown
from compiler.op.op import Op, Port, symbolic_arguments
from compiler.symbolic.dims import Dim, DimOverflow
from compiler.symbolic.symbols import Symbol
from compiler.symbolic.tensor import TensorType

Inputs = Mapping[str, Dependence | None]
Values = Mapping[str, Dependence | tuple[Dependence, ...] | None]


Copies = list[tuple[Mapping[str, Dependence], int]]
"""The outputs of copies that differ, each with the number of the first copy that has them."""


@dataclass
class Analyzer:
    """Analyses scopes along the dimension `length` of a network, and remembers those of blocks."""

    length: Symbol
    known: dict[Hashable, ScopeFlow] = field(default_factory=dict)

    def summary(self, instance: Instance, given: Inputs) -> ScopeFlow:
        """A block, said in its own inputs."""
        patterns = tuple((port, pattern(flow)) for port, flow in given.items())
        key = id(instance.inferred), patterns
        found = self.known.get(key)
        if found is None:
            inputs = {
                port: None if flow is None else entered(port, flow)
                for port, flow in given.items()
            }
            found = self.known[key] = self.scope(instance.inferred, inputs)
        return found

    def scope(self, instance: Instance, inputs: Inputs) -> ScopeFlow:
        """All values of an instance, from what its inputs depend on."""
        nodes: dict[str, NodeFlow] = {}
        flow = ScopeFlow(instance, inputs, nodes, {})
        for node in instance.nodes.values():
            nodes[node.node.name] = self._node(flow, node)
        outputs = {
            name: flow.value(ref) or Dependence()
            for name, ref in instance.scope.outputs.items()
            if name in instance.outputs
        }
        return replace(flow, nodes=MappingProxyType(nodes), outputs=outputs)

    def _node(self, scope: ScopeFlow, node: TypedNode) -> NodeFlow:
        given = node_inputs(scope, node)
        shared = scope.instance.nodes.get(node.node.shared)
        if not node.calls or (shared is not None and not shared.calls):
            return NodeFlow(node, (), {"output": _passed_on(scope, node, given)})
        if node.scan is not None:
            return self._scan(scope, node, node.scan, given)
        if node.routed is not None:
            return self._routed(scope.instance, node, given)
        calls, each = self._copies(scope.instance, node, given)
        outputs = dict(calls[-1].outputs)
        repeat = node.node.layer.repeat
        for name, port in (repeat.stack if repeat else {}).items():
            stacked = hulled([one[port] for one, _ in each])
            outputs[name] = with_axes(stacked, [None, *range(len(stacked.axes))])
        return NodeFlow(node, calls, {**outputs, **_items(node, each)})

    def _copies(
        self, instance: Instance, node: TypedNode, given: Values
    ) -> tuple[tuple[CallFlow, ...], Copies]:
        """The runs of a layer one after another, and the outputs of each that differs from the one before.

        With the outputs goes the number of the first copy that has them.
        """
        calls: list[CallFlow] = []
        each: Copies = []
        for call in node.calls:
            first = for_copy(given, node.each, call.counter)
            for number in range(call.count):
                copy = call.counter + number
                found = self.call(instance, call, for_copy(given, node.each, copy))
                each.append((found.outputs, copy))
                following = next_inputs(node, found.outputs, given)
                still, given = following == given, following
                if still and not node.each:
                    break
            calls.append(replace(found, inputs=first))
        return tuple(calls), each

    def call(self, instance: Instance, call: LayerCall, given: Values) -> CallFlow:
        """One run of an op or a block."""
        if call.instance is None:
            assert call.op is not None
            return self._op(instance, call, call.op, given)
        inputs = {
            port: flow for port, flow in given.items() if not isinstance(flow, tuple)
        }
        inside = self.summary(call.instance, inputs)
        outputs = {name: composed(o, inputs) for name, o in inside.outputs.items()}
        return CallFlow(call, given, outputs, None, inside)

    def alone(self, instance: Instance, found: CallFlow) -> Mapping[str, Dependence]:
        """The outputs of a run, said in its own inputs: `PortAxis` of a port, or of `port n` if that is variadic."""
        if found.inside is not None:
            return found.inside.outputs
        return self.call(instance, found.call, _entered(found.inputs)).outputs

    def by_sizes(
        self, instance: Instance, found: CallFlow
    ) -> Mapping[str, Dependence] | None:
        """What `alone` says, if all axes whose sizes read T carried T; None where they do anyway."""
        types = found.call.inputs
        inputs: dict[str, Dependence | tuple[Dependence, ...] | None] = {}
        for port, value in found.inputs.items():
            kind = types.get(port)
            if isinstance(value, tuple) and isinstance(kind, tuple):
                pairs = zip(value, kind, strict=True)
                inputs[port] = tuple(self._sized(instance, *pair) for pair in pairs)
            elif isinstance(value, Dependence) and isinstance(kind, TensorType):
                inputs[port] = self._sized(instance, value, kind)
            else:
                inputs[port] = value
        if inputs == found.inputs:
            return None
        return self.call(instance, found.call, _entered(inputs)).outputs

    def _sized(
        self, instance: Instance, flow: Dependence, kind: TensorType
    ) -> Dependence:
        """The dependence with T along all axes whose sizes read it."""
        reads = (self.length in instance.context.value(n).symbols for n in kind.shape)
        axes = (
            Along() if one is None and sized else one
            for one, sized in zip(flow.axes, reads, strict=True)
        )
        return replace(flow, axes=tuple(axes))

    def _op(
        self, instance: Instance, call: LayerCall, op: Op, given: Values
    ) -> CallFlow:
        names = [port.name for port in op.inputs]
        run = FlowCall(
            instance.context,
            self.length,
            {name: call.inputs.get(name) for name in names},
            {name: given.get(name) for name in names},
            tuple(call.outputs.values()),
        )
        try:
            flow = op.flow(op, run)
        except (DimOverflow, ZeroDivisionError):
            flow = Flow(unknown(run, f"the sizes of {op.name} cannot be computed"))
        outputs = flow.outputs
        if not op.flow.reads_sizes and argument_reads(op, instance, self.length):
            reason = f"an argument of {op.name} reads the size of T"
            outputs = tuple(one.also({SIZE}, reason) for one in outputs)
        found = dict(zip(call.outputs, outputs, strict=True))
        return CallFlow(call, given, found, flow.memory)

    def _routed(self, instance: Instance, node: TypedNode, given: Values) -> NodeFlow:
        """Experts, each of which takes every token by itself: as one op that does."""
        types = {
            port: instance.type_of(ref)
            for port, ref in node.inputs.items()
            if isinstance(ref, Ref)
        }
        op = RunExperts({"inputs": tuple(map(Port, node.inputs))})
        call = LayerCall(types, node.outputs, op=op, count=node.count)
        found = self._op(instance, call, op, given)
        return NodeFlow(node, (found,), found.outputs)

    # Scans.

    def _scan(
        self, scope: ScopeFlow, node: TypedNode, scan: Scan, given: Values
    ) -> NodeFlow:
        (call,) = node.calls
        assert call.instance is not None
        inputs = {p: f for p, f in given.items() if not isinstance(f, tuple)}
        slices = {p: _slice(inputs[p], axis) for p, axis in scan.axes.items()}
        states = {name: self._start(scope, node, name) for name in scan.carry}
        rows = {p: _axis(inputs[p], axis) for p, axis in scan.axes.items()}
        before: dict[str, AxisFlow] = dict.fromkeys(states)
        for turn in count():
            given_inside = {**inputs, **slices, **states}
            inside = self.summary(call.instance, given_inside)
            outer = {n: composed(o, given_inside) for n, o in inside.outputs.items()}
            steps = {
                name: _step(node, inside.outputs[name], rows, before, states)
                for name in inside.outputs
            }
            following = {n: hulled([states[n], _final(outer[n], None)]) for n in states}
            if turn > _TURNS:
                following = {n: widened(states[n], following[n]) for n in states}
            looped = _looped({n: ports_read(inside.outputs[n]) for n in states})
            earlier = {
                n: _met(before[n], _before(node, steps[n], n in looped)) for n in states
            }
            if following == states and earlier == before:
                break
            states, before = following, earlier
        outputs = {
            name: _final(flow, steps[name])
            if name in states
            else _stacked(flow, steps[name], min(scan.axis, len(flow.axes)))
            for name, flow in outer.items()
        }
        ordered = {name: outputs[name] for name in node.outputs}
        carries = any(axis is not None for axis in rows.values())
        found = CallFlow(call, given, outer, None, inside)
        return NodeFlow(node, (found,), ordered, carries)

    def _start(self, scope: ScopeFlow, node: TypedNode, name: str) -> Dependence:
        """What a state depends on before the first step."""
        carry, scan = node.node.carry[name], node.scan
        assert scan is not None
        if carry.ref is not None:
            return scope.value(carry.ref) or Dependence()
        context = scope.instance.context
        sizes = [context.value(size).symbols for size in scan.carry[name].shape]
        axes = [Along() if self.length in one else None for one in sizes]
        return Dependence(tuple(axes))


class RunExperts(Op):
    """What a layer of routed copies does, as an op: each token to its experts."""

    name = "run_experts"

    @flow_rule("other axes")
    def flow(self, call: FlowCall) -> Dependence:
        """A token's output depends on that token, and on its experts and their weights."""
        (output,) = call.outputs
        last = output.rank - 1
        flows = (
            without(one, {last}, "experts mix along T") for one, _ in call.operands()
        )
        tokens = (with_axes(one, [*range(last), None]) for one in flows)
        return join(call, [(one, output) for one in tokens], output)


_TURNS = 3
"""After so many turns of a scan, a reach that still grows is taken to be without end."""


def _looped(reads: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """The states that depend on themselves, through others or not."""
    reached = {name: found & reads.keys() for name, found in reads.items()}
    for _ in reads:
        reached = {
            name: found.union(*(reached[one] for one in found))
            for name, found in reached.items()
        }
    return frozenset(name for name, found in reached.items() if name in found)


def node_inputs(scope: ScopeFlow, node: TypedNode) -> Values:
    """What the inputs of a layer depend on, by port."""
    return {
        port: tuple(scope.value(one) or Dependence() for one in ref)
        if isinstance(ref, tuple)
        else scope.value(ref)
        for port, ref in node.inputs.items()
    }


def _items(node: TypedNode, each: Copies) -> dict[str, Dependence]:
    """The items of the lists that a layer collects."""
    firsts = [number for _, number in each]
    found: dict[str, Dependence] = {}
    for item, (_, copy) in node.items.items():
        outputs, _ = each[bisect_right(firsts, copy) - 1]
        found[item] = outputs[node.copy_port(item)]
    return found


def _passed_on(scope: ScopeFlow, node: TypedNode, given: Values) -> Dependence:
    """What a layer that is off depends on: its `else`, or its first input."""
    if node.node.may_be_absent:
        return Dependence()
    if node.node.otherwise is not None:
        return scope.value(node.node.otherwise) or Dependence()
    first = next(iter(given.values()), None)
    first = first[0] if isinstance(first, tuple) else first
    return first or Dependence()


def next_inputs(
    node: TypedNode, outputs: Mapping[str, Dependence], given: Values
) -> Values:
    """The inputs of the next copy of a repeated layer, before it takes its items of lists."""
    following = dict(given)
    for name, port in feeds(node.node.layer, outputs, given, node.each).items():
        before = given[port]
        rest = before[1:] if isinstance(before, tuple) else ()
        one = outputs[name]
        following[port] = (one, *rest) if isinstance(before, tuple) else one
    return following


def argument_reads(op: Op, instance: Instance, length: Symbol) -> bool:
    """Whether an argument that is a size, or a list of sizes, reads T."""
    return any(
        length in instance.context.value(size).symbols
        for name in symbolic_arguments(type(op))
        for size in _sizes(getattr(op, name))
    )


def _sizes(value: object) -> Sequence[Dim]:
    if isinstance(value, Mapping):
        value = tuple(value.values())
    items = value if isinstance(value, tuple) else (value,)
    return [item for item in items if isinstance(item, Dim)]


def _entered(inputs: Values) -> Values:
    return {
        port: tuple(entered(f"{port} {n}", v) for n, v in enumerate(value))
        if isinstance(value, tuple)
        else value and entered(port, value)
        for port, value in inputs.items()
    }


def _axis(flow: Dependence | None, axis: int) -> AxisFlow:
    return flow.axes[axis] if flow is not None else None


def _slice(flow: Dependence | None, axis: int) -> Dependence | None:
    """What one step sees of an input, apart from the axis that it is taken apart along."""
    if flow is None:
        return None
    order = [n for n in range(len(flow.axes)) if n != axis]
    return with_axes(flow, list(order))


def _met(left: AxisFlow, right: AxisFlow) -> AxisFlow:
    found = meet(left, right)
    return left if isinstance(found, Dependence) else found


def _step(
    node: TypedNode,
    inner: Dependence,
    rows: Mapping[str, AxisFlow],
    before: Mapping[str, AxisFlow],
    states: Mapping[str, Dependence],
) -> AxisFlow:
    """The axis of the steps of an output: what it reads of slices, and of states before the step."""
    found: AxisFlow = None
    for axis in rows.values():
        found = _met(found, axis.free if axis is not None else None)
    read = ports_read(inner)
    for port, axis in rows.items():
        found = _met(found, axis) if port in read else found
    for name in states:
        found = _met(found, before[name]) if name in read else found
    return found


def _before(node: TypedNode, step: AxisFlow, recurs: bool) -> AxisFlow:
    """What a state holds before a step: that of the step before, or of all of them."""
    if not isinstance(step, Along):
        return step
    if node.node.layer.reverse:
        return step.window(1, math.inf if recurs else 1)
    return step.window(-math.inf if recurs else -1, -1)


def _stacked(flow: Dependence, step: AxisFlow, axis: int) -> Dependence:
    """The outputs of all steps along a new axis."""
    rank = len(flow.axes)
    found = with_axes(flow, [*range(axis), None, *range(axis, rank)])
    return replace(found, axes=(*found.axes[:axis], step, *found.axes[axis + 1 :]))


def _final(flow: Dependence, step: AxisFlow) -> Dependence:
    """A state after the last step."""
    lost = all_of(step, "a state after the last step")
    return replace(plus(flow, lost), known=None)
