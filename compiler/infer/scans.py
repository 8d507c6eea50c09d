"""`scan`: a block that runs along a dimension, one step at a time."""

from __future__ import annotations

from collections.abc import Mapping

from compiler.dataclass import dataclass
from compiler.diagnostics.text import listed
from compiler.infer.instances import InstanceBuilder
from compiler.infer.match_inputs import size_of
from compiler.infer.resolved_layer import ResolvedLayer, RunLayer
from compiler.ir.graph import Carry, Node, Scope
from compiler.ir.typed import LayerCall, Scan, TypedNode, Types
from compiler.op.arg_types import Formula
from compiler.op.errors import OpError
from compiler.op.op import Op
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType


def run_scan(
    layer: ResolvedLayer,
    types: Types,
    start: Mapping[str, TensorType],
    instance: InstanceBuilder,
    run_layer: RunLayer,
) -> TypedNode:
    """A layer under `scan`, of which one step is inferred; `start` are the states that are outputs of layers.

    Raises:
        OpError: where it has nothing to run along, or a step does not give what the next takes.
    """
    node, target, arguments = layer.node, layer.target, layer.arguments
    scanned = _Scanned(node, target, instance, start)
    inner, scan = _step_types(scanned, types)
    call = run_layer(layer, inner, None)
    outputs = scanned.outputs(call, scan)
    return TypedNode(node, target, layer.refs, (call,), outputs, arguments, scan=scan)


@dataclass
class _Scanned:
    """A layer under `scan`, with the types of those initial states that are outputs of layers."""

    node: Node
    target: type[Op] | Scope
    instance: InstanceBuilder
    start: Mapping[str, TensorType]

    def outputs(self, call: LayerCall, scan: Scan) -> dict[str, TensorType]:
        """The output types: the stacked outputs of the steps, then the final states."""
        context = self.instance.context
        together: dict[str, TensorType] = {}
        for name, kind in call.outputs.items():
            if name not in scan.carry:
                axis = min(scan.axis, kind.rank)
                together[name] = kind.with_shape(
                    *kind.shape[:axis], scan.length, *kind.shape[axis:]
                )
                continue
            wanted = scan.carry[name]
            same = kind.rank == wanted.rank and kind.kind == wanted.kind
            if not same or not all(
                context.equal(a, b)
                for a, b in zip(kind.shape, wanted.shape, strict=True)
            ):
                message = f"the state {name} is {context.values(wanted)} before a step"
                message += f" and {context.values(kind)} after it"
                raise OpError("carry-mismatch", message, "", "carry")
        return together | {
            name: scan.carry[name] for name in call.outputs if name in scan.carry
        }


def _step_types(
    layer: _Scanned, types: Types
) -> tuple[dict[str, TensorType | tuple[TensorType, ...] | None], Scan]:
    """The types that one step sees, and how the layer is taken apart."""
    target = layer.target
    if not isinstance(target, Scope) or target.kind == "group":
        raise OpError(
            "bad-scan", "`scan` runs a block: write the step as a block", "", "scan"
        )
    length = _length(layer)
    axes = {
        port: axis
        for port, kind in types.items()
        if (axis := _axis(layer, kind, length)) is not None
    }
    if not axes:
        raise OpError("bad-scan", f"no input has the dimension {length}", "", "scan")
    carry = {
        name: _start(layer, target, name, carry)
        for name, carry in layer.node.carry.items()
    }
    for name in carry:
        if name not in target.declared:
            raise OpError(
                "bad-scan",
                f"the step has no output {name} to carry on",
                "",
                "carry",
                f"it gives {listed(target.declared)}",
            )
    inner = {port: _step_type(kind, axes.get(port)) for port, kind in types.items()}
    return {**inner, **carry}, Scan(length, axes, next(iter(axes.values())), carry)


def _length(layer: _Scanned) -> Dim:
    written = layer.node.layer.scan
    if not isinstance(written, Formula):
        raise OpError("bad-scan", "`scan` names a dimension, such as T", "", "scan")
    return size_of(written.expr, layer.instance.names, layer.instance.values)


def _axis(layer: _Scanned, kind: object, length: Dim) -> int | None:
    """The first axis of an input that has the length: others before it must not, whatever the params are."""
    if not isinstance(kind, TensorType):
        return None
    context = layer.instance.context
    for axis, size in enumerate(kind.shape):
        if context.equal(size, length):
            return axis
        numbers = context.value(size).constant, context.value(length).constant
        if None not in numbers and context.layer is not None:
            context.unequals[size, length, context.layer] = None
    return None


def _step_type(
    kind: TensorType | tuple[TensorType, ...] | None, axis: int | None
) -> TensorType | tuple[TensorType, ...] | None:
    if axis is None or not isinstance(kind, TensorType):
        return kind
    return kind.with_shape(*kind.shape[:axis], *kind.shape[axis + 1 :])


def _start(layer: _Scanned, target: Scope, name: str, carry: Carry) -> TensorType:
    if name not in target.inputs:
        raise OpError(
            "bad-scan",
            f"the step has no input {name}",
            "",
            "carry",
            f"its inputs are {listed(target.inputs)}",
        )
    if carry.ref is not None:
        return layer.start[name]
    pattern = target.inputs[name]
    kind = pattern.kind if pattern else "float"
    return TensorType(
        kind,
        tuple(
            size_of(dim, layer.instance.names, layer.instance.values)
            for dim in carry.shape
        ),
    )
