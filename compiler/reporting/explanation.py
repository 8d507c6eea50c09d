"""Where a layer's type comes from, step by step."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from compiler.cost.costs import CostCounter
from compiler.cost.parameter_formulas import FormulaCounter
from compiler.ir.counts import ParameterCounter
from compiler.ir.graph import Ref, Scope
from compiler.ir.typed import Instance, LayerCall, TypedGraph
from compiler.op.arg_types import Formula
from compiler.op.as_yaml import as_yaml
from compiler.op.context import Context
from compiler.op.op import Op, Shape, arguments
from compiler.reporting.layer_path import PathStep, find_layer
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType, shape_text


def explain(typed: TypedGraph, path: str) -> str:
    """The inputs of a layer with their sources, the rule applied, and the outputs.

    Raises:
        RequestError: if there is no layer at the path.
    """
    steps = find_layer(typed, path)
    return "\n".join(_lines(path, steps))


def _lines(path: str, steps: tuple[PathStep, ...]) -> Iterator[str]:
    step = steps[-1]
    node, context = step.node, step.instance.context
    yield f"{path}: {_target(step)}, at {node.node.place.span(key=True).at}"
    for outer in steps[:-1]:
        yield f"  in {outer.node.node.name}: {_target(outer)}{_copies(outer)}"
    yield from _switches(step)
    yield from _section("inputs", _inputs(steps))
    if step.call is not None:
        yield from _section("arguments", _arguments(step, step.call))
        yield from _section("rule", _rule(step))
        yield from _section("weights", _shapes(context, step.call.weights))
        yield from _section("buffers", _shapes(context, step.call.buffers))
    outputs = (f"{k}: {_type(context, v)}" for k, v in node.outputs.items())
    yield from _section("outputs", outputs)
    repeated = node.node.layer.repeat is not None
    yield from _section("size of all copies" if repeated else "size", _sizes(step))


def _section(name: str, lines: Iterator[str]) -> Iterator[str]:
    found = list(lines)
    if found:
        yield f"{name}:"
        yield from (f"  {line}" for line in found)


def _target(step: PathStep) -> str:
    target = step.node.target
    if not isinstance(target, Scope):
        return f"{target.name} ({target.torch})" if target.torch else target.name
    return f"{target.kind} {target.name}"


def _copies(step: PathStep) -> str:
    return f" × {step.node.count}" if step.node.node.layer.repeat is not None else ""


def _switches(step: PathStep) -> Iterator[str]:
    layer, node = step.node.node.layer, step.node
    if isinstance(layer.when, Formula):
        yield f"  when {layer.when.text}: {'on' if node.active else 'off'}"
    if layer.repeat is not None:
        written = layer.repeat.count
        formula = f"{written.text} = " if isinstance(written, Formula) else ""
        yield f"  repeated: {formula}{node.count} copies"
    if node.scan is not None:
        yield f"  runs along {node.scan.length}, a step at a time"
    if node.node.shared:
        yield f"  with the weights of {node.node.shared}"
    if step.call is None:
        yield "  it does not run: its output is its first input, unchanged"


def _inputs(steps: tuple[PathStep, ...]) -> Iterator[str]:
    step = steps[-1]
    for port, given in step.node.inputs.items():
        for ref in given if isinstance(given, tuple) else (given,):
            kind = step.instance.type_of(ref)
            shown = _type(step.instance.context, kind) if kind else "absent"
            yield f"{port}: {shown}"
            yield from (f"  {line}" for line in _origin(steps, ref))


def _origin(steps: tuple[PathStep, ...], ref: Ref) -> Iterator[str]:
    """Where a value comes from: an input is followed out of the blocks."""
    for depth in range(len(steps) - 1, -1, -1):
        instance = steps[depth].instance
        source = instance.nodes.get(ref.node)
        if source is not None:
            where = source.node.place.span(key=True).at
            yield f"from {ref} of {instance.scope.name}, at {where}"
            return
        declared = instance.scope.place.span("inputs", ref.node).at
        yield f"from the input {ref} of {instance.scope.name}, at {declared}"
        outer = steps[depth - 1].node.inputs.get(ref.node) if depth else None
        if not isinstance(outer, Ref):
            return
        ref = outer


def _arguments(step: PathStep, call: LayerCall) -> Iterator[str]:
    written = step.node.arguments
    context = step.instance.context
    if call.op is not None:
        kinds = arguments(type(call.op))
        values: Mapping[str, Any] = {key: getattr(call.op, key) for key in kinds}
    else:
        values = _params(call.instance)
    for key, value in values.items():
        shown = as_yaml(_valued(context, value))
        if key not in written:
            yield f"{key}: {shown} (default)"
            continue
        text = _written(written[key])
        formula = "" if text == shown else f"{text} = "
        yield f"{key}: {formula}{shown}, at {step.node.node.place.span(key).at}"


def _params(instance: Instance | None) -> Mapping[str, Any]:
    """The params of a block; a group has none of its own."""
    own = instance is not None and instance.scope.kind == "block"
    return instance.params if instance is not None and own else {}


def _written(value: Any) -> str:
    if isinstance(value, Formula):
        return value.text
    if isinstance(value, tuple) and len(value) == 1:
        return _written(value[0])
    if isinstance(value, tuple):
        return f"[{', '.join(map(_written, value))}]"
    return as_yaml(value)


def _valued(context: Context, value: Any) -> Any:
    if isinstance(value, Dim):
        return context.value(value)
    if isinstance(value, tuple):
        return tuple(_valued(context, item) for item in value)
    return value


def _rule(step: PathStep) -> Iterator[str]:
    target = step.node.target
    if not isinstance(target, Scope):
        yield from _op_text(target).splitlines()
        return
    inputs = ", ".join(f"{k}: {v}" for k, v in target.inputs.items() if v is not None)
    given = ", ".join(f"{name}: {ref}" for name, ref in target.outputs.items())
    yield f"its layers, from {inputs or 'the values around it'}; it gives {given}"


def _op_text(op: type[Op]) -> str:
    return inspect.getdoc(op) or ""


def _shapes(context: Context, shapes: Mapping[str, Shape]) -> Iterator[str]:
    for name, shape in shapes.items():
        named = shape_text(shape)
        values = shape_text(tuple(map(context.value, shape)))
        yield f"{name or 'the layer itself'}: {_equated(named, values)}"


def _type(context: Context, kind: TensorType) -> str:
    return _equated(str(kind), str(context.values(kind)))


def _equated(named: str, values: str) -> str:
    return named if named == values else f"{named} = {values}"


def _sizes(step: PathStep) -> Iterator[str]:
    instance, node = step.instance, step.node
    count = ParameterCounter().node(instance, node)
    formula = FormulaCounter().node(instance, node)
    cost = CostCounter().node(instance, node)
    if formula is not None:
        yield f"parameters: {_equated(str(formula), f'{count:,}')}"
    else:
        yield f"parameters: {count:,}"
    yield f"FLOPs: {cost.flops}"
    yield f"activations: {cost.activations}"
