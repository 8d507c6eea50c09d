"""The rules of flow that ops share; an op names one: `flow = pointwise`."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from compiler.op.combine_flows import (
    Labelled,
    aligned,
    all_of,
    contract,
    is_zero,
    join,
    labelled,
    plus,
    read,
    windowed,
    with_axes,
    without,
)
from compiler.op.dependence import (
    SIZE,
    Along,
    AxisFlow,
    Dependence,
    Fill,
    Guard,
    Known,
    moved_known,
)
from compiler.op.flow import Flow, FlowCall, Memory, Operand, flow_rule, unknown
from compiler.op.op import Op
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType

# Element by element.


@flow_rule("pointwise")
def pointwise(op: Op, call: FlowCall) -> tuple[Dependence, ...]:
    """An element reads the elements at its place in all inputs, which broadcast."""
    operands = list(call.operands())
    return tuple(join(call, operands, output) for output in call.outputs)


@flow_rule("pointwise")
def unchanged(op: Op, call: FlowCall) -> Dependence:
    """In evaluation, the values are those of the first input; in training, draws differ from piece to piece."""
    operands = list(call.operands())
    (output,) = call.outputs
    return join(call, operands, output, aligned(call, operands[0], output))


@flow_rule("pointwise")
def appends_axis(op: Op, call: FlowCall) -> Dependence:
    """An element becomes a vector: the axes stay, and the last one is new."""
    flow = call["input"]
    return with_axes(flow, [*range(len(flow.axes)), None])


def mapped(known: Known, value: Any) -> Known:
    """What is known after a function of each value; `value` gives it."""
    if isinstance(known, Fill):
        return Fill(float(value(known.value)))
    if isinstance(known, Guard):
        inside = None if known.inside is None else float(value(known.inside))
        return replace(known, outside=float(value(known.outside)), inside=inside)
    return None


def intersected(knowns: Iterable[Known], outside: float) -> Known:
    """The guards with a value outside, in one: the first, and those that limit it further."""
    found: Guard | None = None
    for known in knowns:
        guard = known.seen(outside.__eq__) if isinstance(known, Guard) else None
        if guard is not None:
            found = guard if found is None else found.intersected(guard) or found
    return found


# Along other axes than T.


def mixing(
    call: FlowCall,
    operands: Sequence[Operand],
    axes: Collection[int],
    reason: str,
) -> Dependence:
    """The tensor, of the shape of the inputs, whose elements read all elements along some axes."""
    (output, *_) = call.outputs
    wide = max((kind for _, kind in operands), key=lambda kind: kind.rank)
    rank = wide.rank
    joined = join(call, operands, output.with_shape(*wide.shape))
    return without(joined, {axis % rank for axis in axes if rank}, reason)


@flow_rule("other axes")
def along_last(op: Op, call: FlowCall) -> tuple[Dependence, ...]:
    """An element reads the vector that it is in, along the last axis."""
    reason = f"{op.name} mixes along T"
    found = mixing(call, list(call.operands()), [-1], reason)
    return tuple(_with_last(call, found, output) for output in call.outputs)


def _with_last(call: FlowCall, flow: Dependence, output: TensorType) -> Dependence:
    last = flow.axes[-1] and call.axis_of(output.shape[-1])
    return read(flow, len(flow.axes) - 1, last)


@flow_rule("other axes")
def along_dim(op: Op, call: FlowCall) -> tuple[Dependence, ...]:
    """An element reads all elements along `dim`."""
    found = mixing(
        call, list(call.operands()), [vars(op)["dim"]], f"{op.name} reads all of T"
    )
    axis = vars(op)["dim"] % max(len(found.axes), 1)
    outputs = []
    for output in call.outputs:
        kept = found.axes and found.axes[axis] and call.axis_of(output.shape[axis])
        outputs.append(read(found, axis, kept or None) if found.axes else found)
    return tuple(outputs)


@flow_rule("other axes")
def along_channels(op: Op, call: FlowCall) -> Dependence:
    """An element reads the channels at its place: axis 1, or the third from the end."""
    axis = int(getattr(op, "channel_axis", 1))
    return mixing(call, [call.operand("input")], [axis], f"{op.name} mixes along T")


# Reductions.


def reduced(
    call: FlowCall,
    operand: Operand,
    axes: Collection[int],
    *,
    keepdim: bool,
    neutral: float | None,
    reason: str,
) -> Dependence:
    """The tensor without some axes, or with size 1 for them.

    Over an axis that carries T, all elements count, unless those outside a guard are `neutral`.
    """
    flow, kind = operand
    labels = [str(n) for n in range(kind.rank)]
    kept = [label for n, label in enumerate(labels) if n not in axes]
    one = Labelled(flow, tuple(labels))
    bands = () if neutral is None else one.band(lambda value: value == neutral)
    found = contract([one], kept, bands, reason)
    if not keepdim:
        return found
    order = iter(range(len(kept)))
    return with_axes(
        found, [None if n in axes else next(order) for n in range(kind.rank)]
    )


@flow_rule("reduction")
def reduction(op: Op, call: FlowCall) -> tuple[Dependence, ...]:
    """Over other axes: the axes that stay. Over T: all of it, unless a mask leaves a window."""
    rank = call.type("input").rank
    given = getattr(op, "dim", None)
    named = [given] if isinstance(given, int) else list(given or range(rank))
    found = reduced(
        call,
        call.operand("input"),
        {axis % rank for axis in named if rank},
        keepdim=bool(getattr(op, "keepdim", False)),
        neutral=getattr(op, "neutral", None),
        reason=f"{op.name} reads all of T",
    )
    return tuple(found for _ in call.outputs)


@flow_rule("reduction")
def whole(op: Op, call: FlowCall) -> tuple[Dependence, ...]:
    """An element depends on everything."""
    return unknown(call, f"{op.name} reads all of T")


# Windows.


@flow_rule("window")
def running(op: Op, call: FlowCall) -> Flow:
    """An element reads those before it along `dim`, and itself."""
    flow, kind = call.operand("input")
    if not kind.rank:
        return Flow(tuple(replace(flow, known=None) for _ in call.outputs))
    axis = vars(op)["dim"] % kind.rank
    found = windowed(flow, axis, -math.inf, 0)
    shape = (*kind.shape[:axis], *kind.shape[axis + 1 :])
    memory = Memory("running", (shape,) * len(call.outputs))
    carries = isinstance(flow.axes[axis], Along)
    return Flow(tuple(found for _ in call.outputs), memory if carries else None)


Window = tuple[Fraction | int, Fraction | int, Fraction | int]
"""Element w reads elements `stride * w + lo` to `stride * w + hi`: (lo, hi, stride)."""


def window_memory(
    flow: Dependence, kind: TensorType, axis: int, lo: Fraction | int
) -> Memory | None:
    """The earlier places that windows keep, which begin `-lo` elements before their own place."""
    if not isinstance(flow.axes[axis], Along) or lo >= 0:
        return None
    shape = (*kind.shape[:axis], *kind.shape[axis + 1 :])
    return Memory("window", (shape,), math.ceil(-lo), axis)


def spatial_windows(
    op: Op, call: FlowCall, windows: Sequence[Window], *, mixes_channels: bool
) -> Flow:
    """The tensor of windows over the last axes of the only tensor at `input`."""
    flow, kind = call.operand("input")
    memory: Memory | None = None
    first = kind.rank - len(windows)
    if mixes_channels:
        flow = without(flow, {first - 1}, f"{op.name} has T as its channels")
    for axis, (lo, hi, stride) in enumerate(windows, first):
        memory = window_memory(flow, kind, axis, lo) or memory
        flow = windowed(flow, axis, lo, hi, stride)
    return Flow(tuple(replace(flow, known=None) for _ in call.outputs), memory)


def with_flat_indices(call: FlowCall, found: Flow, spatial: int) -> Flow:
    """The tensor, and the places that its elements come from, counted in row-major order."""
    if len(call.outputs) == 1:
        return found
    output = found.outputs[0]
    inner = output.axes[len(output.axes) - spatial + 1 :]
    indices = output
    if any(axis is not None for axis in inner):
        indices = output.also({SIZE}, "flat indices count by the size of T")
    return replace(found, outputs=(output, indices))


# Sums of products.


def contraction(
    call: FlowCall,
    labels: Sequence[Sequence[str]],
    result: Sequence[str],
    reason: str,
) -> Dependence:
    """The sum of products of tensors whose axes have these names, over all names that are not in the result."""
    operands = list(call.operands())
    sizes: dict[str, Dim] = {}
    for (_, kind), names in zip(operands, labels, strict=True):
        for name, size in zip(names, kind.shape, strict=True):
            if name not in sizes or call.number(sizes[name]) == 1:
                sizes[name] = size
    tensors = [
        labelled(call, operand, names, sizes)
        for operand, names in zip(operands, labels, strict=True)
    ]
    bands = [band for one in tensors for band in one.band(is_zero)]
    found = contract(tensors, result, bands, reason)
    places = {name: n for n, name in enumerate(result)}
    known = [
        moved_known(one.flow.known, lambda n, one=one: places.get(one.labels[n]))  # type: ignore[misc]
        for one in tensors
    ]
    return replace(found, known=intersected(known, 0.0))


# Sizes that are given.


def sized(op: Op, call: FlowCall, axes: Collection[int], reason: str) -> Dependence:
    """The tensor whose elements read places along some axes that follow from the size of these."""
    found = without(call["input"], axes, reason)
    for axis in axes:
        new = call.axis_of(call.outputs[0].shape[axis])
        if new is not None and call["input"].axes[axis] is None:
            found = found.also({SIZE}, reason)
        found = read(found, axis, new)
    return found


@flow_rule("sized", reads_sizes=True)
def sized_windows(op: Op, call: FlowCall) -> tuple[Dependence, ...]:
    """Windows follow from the size of a spatial axis: over T, they depend on all of it."""
    rank = call.type("input").rank
    spatial = int(getattr(op, "spatial", rank - 2))
    axes = range(rank - spatial, rank)
    reason = f"the windows of {op.name} follow from the size of T"
    found = sized(op, call, axes, reason)
    rest = [flow for port, flow in call.flows.items() if port != "input"]
    others = [one for one in rest if isinstance(one, Dependence)]
    lost = [all_of(axis, reason) for one in others for axis in one.axes]
    found = plus(found, *others, *lost)
    return tuple(found for _ in call.outputs)


# Positions and sources.


@flow_rule("positions")
def positions(op: Op, call: FlowCall) -> tuple[Dependence, ...]:
    """The input only supplies the size of an axis: the values follow from the place alone."""
    axis = position_axis(call["input"], call.type("input"), getattr(op, "dim", -2))
    return tuple(
        Dependence((axis, *[None] * (output.rank - 1))) for output in call.outputs
    )


def position_axis(flow: Dependence, kind: TensorType, dim: int) -> AxisFlow:
    """The axis of a tensor, of which only the size is used."""
    axis = flow.axes[dim % kind.rank]
    return None if axis is None else axis.free


@flow_rule("source")
def source(op: Op, call: FlowCall) -> Dependence:
    """A tensor that the layer holds depends on no input."""
    return Dependence((None,) * call.outputs[0].rank)
