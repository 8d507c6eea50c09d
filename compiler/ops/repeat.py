"""Repeating a tensor, or each of its elements, along dimensions."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

from compiler.codegen.python import Expr, method
from compiler.op import errors
from compiler.op.arg_types import Axis, Extent, Shape
from compiler.op.combine_flows import (
    plus,
    read,
    regrouped,
    windowed,
    with_axes,
    without,
)
from compiler.op.context import Context
from compiler.op.dependence import Dependence, Fill
from compiler.op.flow import FlowCall, flow_rule
from compiler.op.op import ANY, Code, Op, Port
from compiler.op.registry import register
from compiler.ops._tensor_method import TensorMethod, shape_arguments
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType, shape_text


class _Tiling(TensorMethod):
    """Base class: copies of the whole tensor along each dimension."""

    def tiled(self, ctx: Context, input: TensorType, counts: Shape) -> TensorType:
        """The output type; additional counts add dimensions in front."""
        for count in counts:
            ctx.require_least("a repeat count", count, 0)
        rank = max(len(counts), input.rank)
        sizes = (1,) * (rank - input.rank) + input.shape
        copies = (1,) * (rank - len(counts)) + counts
        return input.with_shape(*(c * s for c, s in zip(copies, sizes, strict=True)))

    @flow_rule("axes merged", reads_sizes=True)
    def flow(self, call: FlowCall) -> Dependence:
        """Copies along T start where its size says."""
        flow, kind = call.operand("input")
        counts = self.counts()
        rank = max(len(counts), kind.rank)
        counts = (Dim.of(1),) * (rank - len(counts)) + tuple(counts)
        added = rank - kind.rank
        wide = with_axes(flow, [None] * added + list(range(kind.rank)))
        copied = {n for n in range(rank) if call.number(counts[n]) != 1}
        reason = f"the copies of {self.name} start where the size of T says"
        lost = {n for n in copied if wide.axes[n] is not None}
        found = without(wide, lost, reason) if lost else wide
        axes = tuple(
            call.axis_of(counts[n]) if n in copied and found.axes[n] is None else axis
            for n, axis in enumerate(found.axes)
        )
        fills = flow.known if isinstance(flow.known, Fill) else None
        return replace(found, axes=axes, known=fills)

    def counts(self) -> Shape:
        """How many copies there are along each of the last dimensions."""
        raise TypeError(type(self).__name__)


@register("repeat", torch="torch.Tensor.repeat")
class TensorRepeat(_Tiling):
    """Repeats the tensor along each dimension: any[B, T] -> any[2 * B, T] for [2, 1].

    `repeats` has one count per dimension; additional counts in front add dimensions.
    For dimensions of size 1, `expand` does the same without a copy.
    """

    repeats: Shape

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        if len(self.repeats) < input.rank:
            wanted = f"at most {len(self.repeats)} dimensions to match repeats"
            raise errors.rank_mismatch("input", input, wanted)
        return self.tiled(ctx, input, self.repeats)

    def counts(self) -> Shape:
        return self.repeats

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        return shape_text(tuple(map(ctx.value, self.repeats)))

    def apply(self, code: Code, input: Expr) -> Expr:
        return method(
            input, "repeat", *(shape_arguments(code.argument("repeats")) or ((),))
        )


@register("tile", torch="torch.tile")
class Tile(_Tiling):
    """Repeats the tensor along the last dimensions: any[B, T] -> any[B, 3 * T] for 3.

    Unlike `repeat`, it accepts fewer counts than dimensions.
    """

    dims: Shape

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        return self.tiled(ctx, input, self.dims)

    def counts(self) -> Shape:
        return self.dims

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        return shape_text(tuple(map(ctx.value, self.dims)))

    def apply(self, code: Code, input: Expr) -> Expr:
        return method(input, "tile", *(shape_arguments(code.argument("dims")) or ((),)))


@register("repeat_interleave", torch="torch.repeat_interleave")
class RepeatInterleave(Op):
    """Repeats each element along a dimension: any[B, H, T] -> any[B, n * H, T] for dim 1.

    Without `dim`, the input is flattened first. The input `repeats`, int[H], says how often each element is repeated,
    in place of the argument; `output_size` is their sum, which is not checked.
    """

    repeats: Extent | None = None
    dim: Axis | None = None
    output_size: Extent | None = None

    inputs = (Port("input", ANY), Port("repeats", ("int",), optional=True))

    def infer(
        self, ctx: Context, input: TensorType, repeats: TensorType | None = None
    ) -> TensorType:
        axis, flat = None, input
        if self.dim is None:
            flat = input.with_shape(input.numel)
        else:
            ctx.require_least_rank("input", input, 1)
            axis = ctx.axis(self.dim, input.rank)
        size = flat.shape[axis or 0]
        return flat.with_size(axis or 0, self._repeated(ctx, size, repeats))

    def _repeated(self, ctx: Context, size: Dim, repeats: TensorType | None) -> Dim:
        if (repeats is None) == (self.repeats is None):
            message = "repeat_interleave needs repeats: a number, or a second input"
            raise errors.constraint(message, argument="repeats" if repeats else "")
        if (repeats is None) != (self.output_size is None):
            message = "output_size goes with repeats that are an input"
            raise errors.constraint(
                message, argument="output_size" if self.output_size is not None else ""
            )
        if self.repeats is not None:
            ctx.require_least("repeats", self.repeats, 0)
            return size * self.repeats
        assert repeats is not None and self.output_size is not None
        ctx.require_rank("repeats", repeats, 0, 1)
        if not ctx.is_one(repeats.numel):
            message = "repeat_interleave needs a number for each element"
            ctx.require_equal(message, repeats.numel, size, "repeats")
        ctx.require_least("output_size", self.output_size, 0)
        return self.output_size

    @flow_rule("along T", reads_sizes=True)
    def flow(self, call: FlowCall) -> Dependence:
        """Each element n times: 1 / n of the rate. As often as an input says: anywhere in T."""
        flow, kind = call.operand("input")
        axis = 0 if self.dim is None else self.dim % kind.rank
        if self.dim is None:
            flow = regrouped(call, flow, kind.shape, (kind.numel,))
        if self.repeats is None:
            reason = "places depend on how often each element is repeated"
            counts = call["repeats"]
            counts = without(counts, range(len(counts.axes)), reason)
            size = call.axis_of(call.outputs[0].shape[axis])
            return plus(read(without(flow, {axis}, reason), axis, size), counts)
        times = call.number(self.repeats)
        if flow.axes[axis] is None:
            return read(flow, axis, call.axis_of(self.repeats))
        if not times:
            return without(flow, {axis}, "repeats depend on a size")
        return windowed(flow, axis, Fraction(1 - times, times), 0, Fraction(1, times))

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], **inputs: Any
    ) -> str:
        along = "all" if self.dim is None else f"dim {self.dim}"
        times = "" if self.repeats is None else f" × {ctx.value(self.repeats)}"
        return f"{along}{times}"

    def apply(self, code: Code, input: Expr, repeats: Expr | None) -> Expr:
        times = code.argument("repeats") if repeats is None else repeats
        keys = [key for key in ("dim", "output_size") if code.given(key)]
        options = {key: code.argument(key) for key in keys}
        return method(input, "repeat_interleave", times, **options)
