"""Slicing, indexing, flipping and rolling."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from compiler.codegen.python import Expr, Literal, Slice, subscript
from compiler.op import errors
from compiler.op.arg_types import Axes, Axis, Extent, Shape, Size
from compiler.op.combine_flows import all_of, element, plus, shifted, with_axes, without
from compiler.op.context import Context
from compiler.op.dependence import SIZE, Dependence, moved_known
from compiler.op.flow import FlowCall, flow_rule
from compiler.op.op import ANY, Code, Op, Port
from compiler.op.registry import register
from compiler.ops._tensor_method import TensorMethod, wrap_axes
from compiler.symbolic.dims import Dim, ceil_div
from compiler.symbolic.explain import when_at_least
from compiler.symbolic.tensor import TensorType


class _AlongDim(Op):
    """Base class: indexes one dimension, as in `x[:, 0]`."""

    dim: Axis

    inputs: ClassVar[tuple[Port, ...]] = (Port("input", ANY),)

    def at(self, code: Code, input: Expr, index: Expr | Slice) -> Expr:
        """The input subscripted along the dimension; a negative dimension compiles to `x[..., i]`."""
        if self.dim >= 0:
            return subscript(input, *[Slice()] * self.dim, index)
        return subscript(input, Literal(...), index, *[Slice()] * (-self.dim - 1))


@register("slice", torch="torch.Tensor.__getitem__")
class SliceOp(_AlongDim):
    """input[start:stop:step] along a dimension: any[B, T, D] -> any[B, T - 1, D] for dim 1, start 1.

    As in Python, negative numbers count from the end, and numbers beyond an end are
    clamped. Whether this happens must not depend on the sizes of the inputs.
    """

    start: Extent = Dim.of(0)
    stop: Extent | None = None
    step: Size = Dim.of(1)

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        axis = ctx.axis(self.dim, input.rank)
        size = input.shape[axis]
        start = self._position(ctx, size, self.start, "start")
        stop = size
        if self.stop is not None:
            stop = self._position(ctx, size, self.stop, "stop")
        if ctx.at_least(stop - start, 0):
            return input.with_size(axis, ceil_div(stop - start, self.step))
        if ctx.at_least(start - stop, 0):
            return input.with_size(axis, 0)
        raise _undecided(ctx, "stop", stop, start)

    @flow_rule("along T", reads_sizes=True)
    def flow(self, call: FlowCall) -> Dependence:
        """Element u reads u * step + start; `stop` only takes elements away at the end."""
        flow = call["input"]
        axis = self.dim % len(flow.axes)
        start, step = call.number(self.start), call.number(self.step)
        if flow.axes[axis] is None:
            found = replace(
                flow, known=moved_known(flow.known, lambda n: None if n == axis else n)
            )
            moved = any(call.reads(one) for one in (self.start, self.step))
            return (
                found.also({SIZE}, "slices from where the size of T says")
                if moved
                else found
            )
        if start is None or start < 0 or not step:
            return without(flow, {axis}, "slices from the end of T")
        return shifted(flow, axis, start, step)

    def _position(self, ctx: Context, size: Dim, position: Dim, argument: str) -> Dim:
        """A position counted from the front, clamped to the dimension."""
        if ctx.at_least(-position, 1):
            position = size + position
        elif not ctx.at_least(position, 0):
            raise _undecided(ctx, argument, position, Dim.of(0))
        if ctx.at_least(-position, 0):
            return Dim.of(0)
        if not ctx.at_least(position, 0):
            raise _undecided(ctx, argument, position, Dim.of(0))
        if ctx.at_least(size - position, 0, rounded=True):  # the end of it, too
            return position
        if ctx.at_least(position - size, 0, rounded=True):
            return size
        raise _undecided(ctx, argument, size, position)

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        start = "" if self.start == 0 else str(ctx.value(self.start))
        stop = "" if self.stop is None else str(ctx.value(self.stop))
        step = "" if self.step == 1 else f":{ctx.value(self.step)}"
        return f"{start}:{stop}{step}"

    def apply(self, code: Code, input: Expr) -> Expr:
        parts = [
            code.argument(key) if code.given(key) else None
            for key in ("start", "stop", "step")
        ]
        return self.at(code, input, Slice(*parts))


@register("index", torch="torch.select")
class Index(_AlongDim):
    """One element of a dimension, which is removed: any[B, T, D] -> any[B, D] for dim 1."""

    index: Extent

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        axis = ctx.axis(self.dim, input.rank)
        size = input.shape[axis]
        from_end = ctx.at_least(-self.index, 1)
        low, high = (-size, Dim.of(-1)) if from_end else (Dim.of(0), size - 1)
        for more, less in ((self.index, low), (high, self.index)):
            if not ctx.at_least(more - less, 0):
                raise _undecided(ctx, "index", more, less)
        return input.with_shape(*input.shape[:axis], *input.shape[axis + 1 :])

    @flow_rule("along T", reads_sizes=True)
    def flow(self, call: FlowCall) -> Dependence:
        """The first place is safe at every position; others are not, nor are those counted from the end."""
        flow, number = call["input"], call.number(self.index)
        rank = len(flow.axes)
        axis = self.dim % rank
        taken = flow.axes[axis]
        found = with_axes(flow, [n for n in range(rank) if n != axis])
        if taken is None:
            reads = {SIZE} if call.reads(self.index) else set()
            return found.also(reads, "reads the element that the size of T says")
        if number is None or number < 0:
            return plus(
                found, all_of(taken, "reads an element counted from the end of T")
            )
        return plus(found, element(taken, number))

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        return f"dim {self.dim} at {ctx.value(self.index)}"

    def apply(self, code: Code, input: Expr) -> Expr:
        return self.at(code, input, code.argument("index"))


@register("flip", torch="torch.flip")
class Flip(TensorMethod):
    """Reverses dimensions: any[...] -> any[...]."""

    dims: Axes

    method = "flip"
    positional = ("dims",)

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        if self.dims:
            wrap_axes(ctx, self.dims, input.rank, "dims")
        return input

    @flow_rule("along T")
    def flow(self, call: FlowCall) -> Dependence:
        """Along T, places count from the end."""
        rank = call.type("input").rank
        axes = {axis % rank for axis in self.dims if rank}
        return without(call["input"], axes, "flip reads T from its end")


@register("roll", torch="torch.roll")
class Roll(TensorMethod):
    """Shifts elements along dimensions, wrapping around: any[...] -> any[...].

    Without `dims`, the input is rolled as if flattened.
    """

    shifts: Shape
    dims: Axes | None = None

    method = "roll"
    positional = ("shifts",)
    causal_hint = "pad in front and slice: roll brings the end to the front"

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        for axis in self.dims or ():
            ctx.axis(axis, input.rank, "dims")
        if len(self.shifts) != (len(self.dims) if self.dims else 1):
            message = "roll needs equally many shifts and dims"
            raise errors.constraint(message, argument="shifts")
        return input

    @flow_rule("along T", reads_sizes=True)
    def flow(self, call: FlowCall) -> Dependence:
        """Along T, the last elements come first."""
        flow = call["input"]
        rank = len(flow.axes)
        axes = set(range(rank)) if self.dims is None else {n % rank for n in self.dims}
        found = without(flow, axes, "roll brings the end of T to its front")
        moved = any(call.reads(shift) for shift in self.shifts)
        return found.also({SIZE}, "rolls by the size of T") if moved else found

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        return f"by {', '.join(str(ctx.value(shift)) for shift in self.shifts)}"


def _undecided(ctx: Context, argument: str, more: Dim, less: Dim) -> errors.OpError:
    """The error that an argument's meaning depends on which of two sizes is larger."""
    more, less = ctx.value(more), ctx.value(less)
    return errors.constraint(
        f"{argument} needs {more} >= {less} for all input sizes",
        argument=argument,
        conditions=when_at_least(ctx.domain, more - less, 0),
    )
