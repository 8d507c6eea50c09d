"""Base class and helpers of ops over 1D, 2D and 3D spatial inputs."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import ClassVar, Final, TypeVar

from compiler.codegen.python import Expr, TupleExpr, call, lit, subscript
from compiler.op import errors
from compiler.op.context import Context
from compiler.op.op import Code, Op, Shape
from compiler.symbolic.dims import Dim
from compiler.symbolic.short_size import short_size
from compiler.symbolic.tensor import TensorType

_Value = TypeVar("_Value")

# torch multiplies in float64: up to this factor, the product with a size below 2**32 is exact.
_MAX_EXACT_NUMERATOR: Final = 2**21


class SpatialOp(Op):
    """An op over the last `spatial` dimensions of [N, C, *sizes]; N is optional."""

    spatial: ClassVar[int]

    def extents(self, ctx: Context, input: TensorType) -> Shape:
        """The sizes of the spatial dimensions.

        Raises:
            OpError: if the rank is wrong or a size can be 0.
        """
        ctx.require_rank("input", input, self.spatial + 1, self.spatial + 2)
        sizes = input.shape[-self.spatial :]
        for size in sizes:
            ctx.require_least("a spatial size", size, 1, "input")
        return sizes

    def per_dim(self, sizes: Shape, argument: str) -> Shape:
        """One size per spatial dimension; a single size applies to all."""
        return per_dim(sizes, self.spatial, argument)

    def with_past(
        self,
        code: Code,
        input: Expr,
        padding: str,
        apply: Callable[[Expr], Expr],
        value: float = 0.0,
    ) -> Expr:
        """Its code, which where a sequence comes in pieces has the positions before each in place of its padding."""
        state = code.state()
        if state is None:
            return apply(input)
        axis, written = code.past_axis(), code.argument(padding)
        count = written.items[axis] if isinstance(written, TupleExpr) else written
        if len(getattr(self, padding)) > 1 and not isinstance(written, TupleExpr):
            count = subscript(written, axis)
        options = {"value": lit(value)} if value else {}
        longer = call("with_past", state, input, count, axis, **options)
        return call("without_past", state, apply(longer), count, axis)

    def with_extents(self, input: TensorType, sizes: Shape) -> TensorType:
        """The same type with other spatial sizes."""
        return input.with_shape(*input.shape[: -self.spatial], *sizes)


def per_dim(sizes: tuple[_Value, ...], count: int, argument: str) -> tuple[_Value, ...]:
    """One value for each of `count` dimensions; a single one applies to all.

    Raises:
        OpError: if there are neither one nor `count` values.
    """
    if len(sizes) == 1:
        return sizes * count
    if len(sizes) != count:
        message = f"{argument} needs 1 or {count} values, not {len(sizes)}"
        raise errors.constraint(message, argument=argument)
    return sizes


def dilated_size(kernel: Dim, dilation: Dim | int) -> Dim:
    """The number of elements that a dilated kernel spans: (kernel - 1) * dilation + 1."""
    return (kernel - 1) * dilation + 1


def require_window(ctx: Context, padded: Dim, least: Dim) -> None:
    """Check that the padded input has at least `least` elements, so that one window fits."""
    ctx.constant(least, "the window size", "kernel_size")
    ctx.require_least("the padded input", padded, least, "input")


def require_padding_fits(
    ctx: Context, mode: str, size: Dim, reach: Dim, argument: str = "padding"
) -> None:
    """Check that the input is large enough for reflect or circular padding, which copies from it."""
    if mode not in ("reflect", "circular"):
        return
    number = ctx.constant(reach, argument, argument)
    least = reach + 1 if mode == "reflect" else reach
    what = f"an input padded by {number} in {mode} mode"
    ctx.require_least(what, size, least, "input")


def sizes_text(ctx: Context, sizes: Shape) -> str:
    """Sizes for a diagram label, such as `3×5` or `H/4 × W/4`."""
    texts = [short_size(ctx.value(size)) for size in sizes]
    return ("×" if all(map(str.isdecimal, texts)) else " × ").join(texts)


def label_unless_one(ctx: Context, word: str, sizes: Shape) -> list[str]:
    """A setting for a diagram label, such as `stride 2` or `stride 2×1`; empty if all its sizes are 1."""
    if all(ctx.is_one(size) for size in sizes):
        return []
    return [f"{word} {sizes_text(ctx, sizes[:1] if len(set(sizes)) == 1 else sizes)}"]


def scale_size(ctx: Context, size: Dim, factor: float, argument: str) -> Dim:
    """The size times a factor, rounded down; torch computes this product in floating point.

    Raises:
        OpError: if the factor is not positive and finite, or if rounding makes the product depend on the size.
    """
    if not 0 < factor < math.inf:
        message = f"{argument} must be positive and finite"
        raise errors.constraint(message, argument=argument)
    ratio = Fraction(factor)
    if ratio.numerator <= _MAX_EXACT_NUMERATOR:
        return size * ratio.numerator // ratio.denominator
    value = ctx.value(size).constant
    if value is None:
        message = f"{size} times {factor} depends on floating-point rounding"
        help = "give the output size instead, or a factor such as 2, 0.5 or 1.25"
        raise errors.constraint(message, argument=argument, help=help)
    return Dim.of(math.floor(value * factor))
