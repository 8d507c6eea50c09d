"""The way of a later position into an output: back from the output to the layer where it enters."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from compiler.causality.analyze_scope import Analyzer, Values, next_inputs, node_inputs
from compiler.causality.compose_flows import calm
from compiler.infer.repeats import for_copy
from compiler.ir.causal import CallFlow, LeakStep, NodeFlow, ScopeFlow
from compiler.ir.graph import Ref
from compiler.ir.typed import TypedNode
from compiler.op.dependence import Dependence


def trace_leak(
    analyzer: Analyzer, scope: ScopeFlow, output: str
) -> tuple[LeakStep, ...]:
    """The layers from the one where later positions enter to an output that depends on them."""
    name = scope.instance.scope.name
    steps = tuple(_back(analyzer, scope, scope.instance.scope.outputs[output], name))
    return steps[::-1]


def _back(
    analyzer: Analyzer, scope: ScopeFlow, ref: Ref, path: str
) -> Iterator[LeakStep]:
    """From a value that depends on later positions back to where they enter, in this scope or in a block."""
    while (flow := scope.nodes.get(ref.node)) is not None:
        here = f"{path}.{flow.node.node.name}"
        source = _late_input(analyzer, scope, flow, ref)
        if source is None:
            yield from _entry(analyzer, scope, flow, ref, here)
            return
        document = scope.instance.scope.place.document
        written = document.locate(source.path) if source.path else None
        yield replace(_step(flow.node, here), input=written)
        ref = source
    value = scope.value(ref)
    yield LeakStep(
        path,
        ref.node,
        scope.instance.scope.place.span(),
        reason=_reason(value or Dependence()),
    )


def _step(node: TypedNode, path: str, flow: Dependence | None = None) -> LeakStep:
    op = node.calls[0].op if node.calls else None
    entry = flow is not None
    return LeakStep(
        path,
        node.node.name,
        node.node.place.span(key=True),
        reason=_reason(flow) if flow is not None else "",
        help=op.causal_hint if op and entry else "",
    )


def _reason(flow: Dependence) -> str:
    """Why a value depends on later positions."""
    if flow.whole:
        return next(iter(flow.whole.values()))
    ahead = max((reach.hi for reach in flow.field.values()), default=0)
    if ahead <= 0:
        return "reads past the end of what is cut off, where later positions come"
    if ahead == math.inf:
        return "reads all later positions"
    return f"reads {ahead} position{'s' * (ahead != 1)} ahead"


def _late_input(
    analyzer: Analyzer, scope: ScopeFlow, flow: NodeFlow, ref: Ref
) -> Ref | None:
    """An input of a layer that brings later positions to an output; None where they enter in the layer itself."""
    refs = [
        (port, n, one)
        for port, given in flow.node.inputs.items()
        for n, one in enumerate(given if isinstance(given, tuple) else (given,))
    ]
    refs += [
        (name, 0, carry.ref)
        for name, carry in flow.node.node.carry.items()
        if carry.ref is not None
    ]
    late = [one for one in refs if _late(scope.value(one[2]))]
    if not flow.calls:
        other = None if flow.node.node.may_be_absent else flow.node.node.otherwise
        return other or (late[0][2] if late else None)
    if len(late) < 2 or flow.node.scan is not None:
        return late[0][2] if late else None
    for port, n, one in late:
        found = _alone(analyzer, scope, flow, port, n)
        if _late(found.get(flow.node.copy_port(ref.port) or next(iter(found)))):
            return one
    return None


def _late(flow: Dependence | None) -> bool:
    return flow is not None and flow.late


def _alone(
    analyzer: Analyzer, scope: ScopeFlow, flow: NodeFlow, port: str, number: int
) -> dict[str, Dependence]:
    """The outputs of the last run, if only one of the inputs brought later positions."""
    given = dict(flow.calls[-1].inputs)
    for key, value in given.items():
        if isinstance(value, tuple):
            kept = number if key == port else -1
            items = (v if n == kept else calm(v) for n, v in enumerate(value))
            given[key] = tuple(items)
        elif value is not None and key != port:
            given[key] = calm(value)
    call = flow.calls[-1].call
    return dict(analyzer.call(scope.instance, call, given).outputs)


def _entry(
    analyzer: Analyzer, scope: ScopeFlow, flow: NodeFlow, ref: Ref, path: str
) -> Iterator[LeakStep]:
    """The layer where later positions enter; where it is a block, the layers inside it too."""
    number, call = _first_late(analyzer, scope, flow, ref)
    if flow.node.node.layer.repeat is not None:
        path = f"{path}[{number}]"
    outputs = call.outputs if flow.node.scan is None else flow.outputs
    port = flow.node.copy_port(ref.port)
    port = port if port in outputs else next(iter(outputs))
    yield _step(flow.node, path, outputs[port])
    if call.call.instance is None or flow.node.scan is not None:
        return
    inputs = {p: f for p, f in call.inputs.items() if not isinstance(f, tuple)}
    inside = analyzer.scope(call.call.instance, inputs)
    inner = call.call.instance.scope.outputs[port]
    yield from _back(analyzer, inside, inner, path)


def _first_late(
    analyzer: Analyzer, scope: ScopeFlow, flow: NodeFlow, ref: Ref
) -> tuple[int, CallFlow]:
    """The first of the runs that has later positions in its outputs, by its number."""
    given: Values = node_inputs(scope, flow.node)
    number = 0
    if flow.node.scan is not None:
        return 0, flow.calls[0]
    for one in flow.calls:
        for _ in range(one.call.count):
            taken = for_copy(given, flow.node.each, number)
            found = analyzer.call(scope.instance, one.call, taken)
            if any(output.late for output in found.outputs.values()):
                return number, found
            given = next_inputs(flow.node, found.outputs, given)
            number += 1
    return number - 1, found
