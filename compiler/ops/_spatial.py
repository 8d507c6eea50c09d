"""What the ops over signals, images and volumes share."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import ClassVar, Final

from compiler.op import errors
from compiler.op.context import Context
from compiler.op.op import Op, Shape
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType

# torch multiplies as doubles: the product with a size below 2**32 is exact up to here.
_MAX_EXACT_NUMERATOR: Final = 2**21


class SpatialOp(Op):
    """An op over the last `spatial` dimensions of [N, C, *sizes], or of [C, *sizes]."""

    spatial: ClassVar[int]

    def extents(self, ctx: Context, input: TensorType) -> Shape:
        """The sizes of the spatial dimensions, none of them 0."""
        ctx.require_rank("input", input, self.spatial + 1, self.spatial + 2)
        sizes = input.shape[-self.spatial :]
        for size in sizes:
            ctx.require_least("a spatial size", size, 1, "input")
        return sizes

    def per_dim(self, sizes: Shape, argument: str) -> Shape:
        """One size for each spatial dimension; a single one stands for all."""
        return per_dim(sizes, self.spatial, argument)

    def with_extents(self, input: TensorType, sizes: Shape) -> TensorType:
        """The type with other spatial sizes."""
        return input.with_shape(*input.shape[: -self.spatial], *sizes)


def per_dim(sizes: Shape, count: int, argument: str) -> Shape:
    """One size for each of `count` dimensions; a single one stands for all."""
    if len(sizes) == 1:
        return sizes * count
    if len(sizes) != count:
        message = (
            f"{argument} needs {count} values, or one for all, and has {len(sizes)}"
        )
        raise errors.constraint(message, argument=argument)
    return sizes


def dilated_size(kernel: Dim, dilation: Dim | int) -> Dim:
    """How far a window reaches, from its first element to its last."""
    return (kernel - 1) * dilation + 1


def require_window(ctx: Context, padded: Dim, least: Dim) -> None:
    """The padded input must hold `least` elements, so that one window fits."""
    number = ctx.constant(least, "the size of the window", "kernel_size")
    ctx.require_least("the padded input", padded, number, "input")


def require_padding_fits(
    ctx: Context, mode: str, size: Dim, reach: Dim, argument: str = "padding"
) -> None:
    """A padding that repeats the input can take no more than the input has."""
    if mode not in ("reflect", "circular"):
        return
    number = ctx.constant(reach, argument, argument)
    least = number + 1 if mode == "reflect" else number
    what = f"an input padded by {number} in {mode} mode"
    ctx.require_least(what, size, least, "input")


def sizes_text(ctx: Context, sizes: Shape) -> str:
    """Sizes for a label: `3×5`."""
    return "×".join(str(ctx.value(size)) for size in sizes)


def label_unless_one(ctx: Context, word: str, sizes: Shape) -> list[str]:
    """A setting for a label, `stride 2` or `stride 2×1`, unless it is 1 throughout."""
    if all(ctx.is_one(size) for size in sizes):
        return []
    return [f"{word} {sizes_text(ctx, sizes[:1] if len(set(sizes)) == 1 else sizes)}"]


def scale_size(ctx: Context, size: Dim, factor: float, argument: str) -> Dim:
    """The size times a factor, rounded down as torch does, who multiplies as floats."""
    if not 0 < factor < math.inf:
        message = f"{argument} must be a number above 0"
        raise errors.constraint(message, argument=argument)
    ratio = Fraction(factor)
    if ratio.numerator <= _MAX_EXACT_NUMERATOR:
        return size * ratio.numerator // ratio.denominator
    value = ctx.value(size).constant
    if value is None:
        message = f"{size} times {factor} depends on how floats round"
        help = "give the size instead, or a factor such as 2, 0.5 or 1.25"
        raise errors.constraint(message, argument=argument, help=help)
    return Dim.of(math.floor(value * factor))
