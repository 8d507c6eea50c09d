"""Run an op on types: apply its rule, check the shapes of its weights."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import replace
from typing import Any

from compiler.ir.typed import LayerCall, Types
from compiler.language.layers import Layer
from compiler.language.parametrizations import apply
from compiler.op import errors
from compiler.op.context import Context
from compiler.op.op import Op, Port, Shape, as_tuple
from compiler.symbolic.dims import Dim, DimOverflow
from compiler.symbolic.symbols import EllipsisDim
from compiler.symbolic.tensor import MAX_RANK, TensorType


def call_op(op: Op, types: Types, context: Context, counter: int) -> LayerCall:
    """Run an op on types.

    Raises:
        OpError: if it does not accept them.
    """
    inputs = {
        port.name: _input(port, types.get(port.name), context) for port in op.inputs
    }
    outputs = tuple(map(context.simplified, as_tuple(op.infer(context, **inputs))))
    for output in outputs:
        if output.rank > MAX_RANK:
            message = f"a tensor has {MAX_RANK} dimensions at most, not {output.rank}"
            raise errors.constraint(message)
    _check_static(op.inferred(**inputs), context)
    weights = _weights(op, inputs, context)
    _check_weights(weights, context)
    return LayerCall(
        types,
        dict(zip(op.ports(len(outputs)), outputs, strict=True)),
        op=op,
        weights=weights,
        buffers=op.buffers(**inputs),
        flops=_flops(op, outputs, inputs, context),
        counter=counter,
    )


def parametrized(layer: Layer, call: LayerCall) -> LayerCall:
    """The call of a layer with the tensors that `parametrize` substitutes."""
    given, op = layer.parametrize, call.op
    if given is None or op is None:
        return call
    weights, buffers = apply(given, op, dict(call.weights), dict(call.buffers))
    return replace(call, weights=weights, buffers=buffers)


def _weights(op: Op, inputs: Mapping[str, Any], context: Context) -> dict[str, Shape]:
    """The weights in the names of the scope; which there are, the values decide."""
    weights = op.weights(**inputs)
    if type(op).weights is Op.weights:
        return weights
    valued = op.weights(
        **{port: _valued(kind, context) for port, kind in inputs.items()}
    )
    return weights if list(weights) == list(valued) else valued


def _flops(
    op: Op,
    outputs: tuple[TensorType, ...],
    inputs: Mapping[str, Any],
    context: Context,
) -> Dim | None:
    """The FLOPs in the names of the scope, or in those of the network's inputs; None where both formulas are too large.

    Sizes that depend on kernels given as params have many parts in the names of a block, and their product has the
    product of those numbers.
    """
    try:
        return op.flops(outputs, **inputs)
    except DimOverflow:
        found = copy(op)
        for name, argument in vars(op).items():
            setattr(found, name, _sized(argument, context))
    valued = {port: _valued(kind, context) for port, kind in inputs.items()}
    try:
        return found.flops(_valued(outputs, context), **valued)
    except DimOverflow:
        return None


def _sized(argument: Any, context: Context) -> Any:
    """An argument whose sizes are in the symbols of the network's inputs."""
    if isinstance(argument, tuple):
        return tuple(_sized(item, context) for item in argument)
    return context.value(argument) if isinstance(argument, Dim) else argument


def _valued(kind: Any, context: Context) -> Any:
    if isinstance(kind, tuple):
        return tuple(context.values(item) for item in kind)
    return None if kind is None else context.values(kind)


def op_inputs(target: type[Op], types: Types) -> dict[str, Any]:
    """The types for an op's rules: every port by name, None if it is absent."""
    return {port.name: types.get(port.name) for port in target.inputs}


def _input(
    port: Port, kind: TensorType | tuple[TensorType, ...] | None, context: Context
) -> Any:
    if kind is None:
        if not port.optional:
            raise errors.absent_input(port.name)
        return None
    for item in kind if isinstance(kind, tuple) else (kind,):
        context.require_kind(port.name, item, port.kinds)
    return kind


def _check_static(sizes: Mapping[str, Dim], context: Context) -> None:
    for name, size in sizes.items():
        value = context.value(size)
        if value.constant is None:
            raise errors.symbolic_weight(name, value, "")
        _require_name(name, size)


def _require_name(what: str, size: Dim) -> None:
    """A size that a tensor or module is made of must not be one that `...` stands for."""
    if any(isinstance(symbol, EllipsisDim) for symbol in size.symbols):
        raise errors.nameless(what)


def _check_weights(weights: Mapping[str, Shape], context: Context) -> None:
    for name, shape in weights.items():
        for size in shape:
            what, value = f"a size of {name or 'the tensor'}", context.value(size)
            if value.constant is None:
                raise errors.symbolic_weight(what, value, "")
            _require_name(what, size)
