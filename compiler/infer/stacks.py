"""`stack`: outputs of all copies of a repeated layer, stacked along a new dimension."""

from __future__ import annotations

from itertools import pairwise

from compiler.diagnostics.diagnostic import InstancePath, Report
from compiler.diagnostics.text import listed
from compiler.infer.instances import InstanceBuilder
from compiler.infer.match_inputs import size_of
from compiler.ir.graph import Node
from compiler.ir.typed import LayerCall
from compiler.op.arg_types import Formula
from compiler.op.errors import OpError
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType


def stacked(
    node: Node,
    calls: tuple[LayerCall, ...],
    instance: InstanceBuilder,
    report: Report,
    path: InstancePath,
) -> dict[str, TensorType]:
    """The types of a layer's stacks; those that are wrong are reported and missing."""
    repeat = node.layer.repeat
    if repeat is None or not repeat.stack:
        return {}
    count = named_count(repeat.count, instance)
    found: dict[str, TensorType] = {}
    for name, port in repeat.stack.items():
        try:
            kind = _common(name, port, node, calls, instance)
        except OpError as fault:
            key = fault.code == "duplicate-name"
            span = node.place.at("repeat", "stack").span(name, key=key)
            like = fault.code == "unknown-port" and report.like(port, calls[0].outputs)
            help = like or fault.help
            report.error(fault.code, span, fault.message, help=help, path=path)
        else:
            found[name] = kind.with_shape(count, *kind.shape)
    return found


def named_count(count: Formula | int, instance: InstanceBuilder) -> Dim:
    """A number of copies in the names of a scope."""
    if not isinstance(count, Formula):
        return Dim.of(count)
    return size_of(count.expr, instance.names, instance.values)


def _common(
    name: str,
    port: str,
    node: Node,
    calls: tuple[LayerCall, ...],
    instance: InstanceBuilder,
) -> TensorType:
    """The type of an output that all copies give.

    Raises:
        OpError: where there is none, or it is an output of the layer already.
    """
    outputs = calls[0].outputs
    if name in outputs:
        message = f"each copy gives {name}, and that is what the last one gives"
        raise OpError("duplicate-name", message, help=f"write all_{name}: {port}")
    if port not in outputs:
        help = f"it gives {listed(outputs)}"
        raise OpError("unknown-port", f"a copy has no output {port}", help=help)
    types = dict.fromkeys(instance.context.values(call.outputs[port]) for call in calls)
    if len(types) > 1:
        first, other, *_ = types
        message = f"{port} is {first} in one copy and {other} in another"
        raise OpError("repeat-mismatch", f"{message}: they do not stack")
    for call, following in pairwise(calls):
        one, other = call.outputs[port], following.outputs[port]
        instance.context.note_same(one, other, node)
    return calls[-1].outputs[port]
