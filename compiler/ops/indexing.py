"""Slicing, indexing, flipping and rolling."""

from __future__ import annotations

from typing import ClassVar

from compiler.codegen.python import Expr, Literal, Slice, subscript
from compiler.op import errors
from compiler.op.arg_types import Axes, Axis, Extent, Shape, Size
from compiler.op.context import Context
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
        if _at_least(ctx, stop - start, 0):
            return input.with_size(axis, ceil_div(stop - start, self.step))
        if _at_least(ctx, start - stop, 0):
            return input.with_size(axis, 0)
        raise _undecided(ctx, "stop", stop, start)

    def _position(self, ctx: Context, size: Dim, position: Dim, argument: str) -> Dim:
        """A position counted from the front, clamped to the dimension."""
        if _at_least(ctx, -position, 1):
            position = size + position
        elif not _at_least(ctx, position, 0):
            raise _undecided(ctx, argument, position, Dim.of(0))
        if _at_least(ctx, -position, 0):
            return Dim.of(0)
        if _at_least(ctx, position - size, 0):
            return size
        for more, less in ((position, Dim.of(0)), (size, position)):
            if not _at_least(ctx, more - less, 0):
                raise _undecided(ctx, argument, more, less)
        return position

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
        from_end = _at_least(ctx, -self.index, 1)
        low, high = (-size, Dim.of(-1)) if from_end else (Dim.of(0), size - 1)
        for more, less in ((self.index, low), (high, self.index)):
            if not _at_least(ctx, more - less, 0):
                raise _undecided(ctx, "index", more, less)
        return input.with_shape(*input.shape[:axis], *input.shape[axis + 1 :])

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


@register("roll", torch="torch.roll")
class Roll(TensorMethod):
    """Shifts elements along dimensions, wrapping around: any[...] -> any[...].

    Without `dims`, the input is rolled as if flattened.
    """

    shifts: Shape
    dims: Axes | None = None

    method = "roll"
    positional = ("shifts",)

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        for axis in self.dims or ():
            ctx.axis(axis, input.rank, "dims")
        if len(self.shifts) != (len(self.dims) if self.dims else 1):
            message = "roll needs equally many shifts and dims"
            raise errors.constraint(message, argument="shifts")
        return input

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        return f"by {', '.join(str(ctx.value(shift)) for shift in self.shifts)}"


def _at_least(ctx: Context, size: Dim, least: int) -> bool:
    return ctx.domain.at_least(ctx.value(size), least)


def _undecided(ctx: Context, argument: str, more: Dim, less: Dim) -> errors.OpError:
    """The error that an argument's meaning depends on which of two sizes is larger."""
    more, less = ctx.value(more), ctx.value(less)
    return errors.constraint(
        f"{argument} needs {more} >= {less} for all input sizes",
        argument=argument,
        conditions=when_at_least(ctx.domain, more - less, 0),
    )
