"""Windows of an image as columns, and columns put together to an image."""

from __future__ import annotations

from compiler.op.arg_types import Counts, Shape, Sizes
from compiler.op.context import Context
from compiler.op.op import product
from compiler.op.registry import register
from compiler.ops._spatial import (
    SpatialOp,
    dilated_size,
    label_unless_one,
    require_window,
    sizes_text,
)
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType


class _SlidingBlocks(SpatialOp):
    """What both share: blocks of `kernel_size` that slide over an image."""

    kernel_size: Sizes
    dilation: Sizes = (Dim.of(1),)
    padding: Counts = (Dim.of(0),)
    stride: Sizes = (Dim.of(1),)

    spatial = 2
    family = "reshape"

    def kernel(self) -> Shape:
        """The size of a block."""
        return self.per_dim(self.kernel_size, "kernel_size")

    def blocks(self, ctx: Context, extents: Shape) -> Dim:
        """How many blocks an image has."""
        dilation, padding = self.dilation, self.padding
        steps = zip(
            extents,
            self.kernel(),
            self.per_dim(dilation, "dilation"),
            self.per_dim(padding, "padding"),
            self.per_dim(self.stride, "stride"),
            strict=True,
        )
        return product(_blocks_along(ctx, *step) for step in steps)

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        kernel = sizes_text(ctx, self.kernel())
        return ", ".join([kernel, *label_unless_one(ctx, "stride", self.stride)])


def _blocks_along(
    ctx: Context, size: Dim, kernel: Dim, dilation: Dim, padding: Dim, stride: Dim
) -> Dim:
    """How many blocks there are along one dimension."""
    window = dilated_size(kernel, dilation)
    require_window(ctx, size + 2 * padding, window)
    return (size + 2 * padding - window) // stride + 1


@register("unfold", torch="torch.nn.Unfold")
class Unfold(_SlidingBlocks):
    """The windows of an image as columns, as a convolution sees them (im2col).

    float[N, C, H, W] -> float[N, C * kernel, L], or without N. `kernel` is the number
    of elements of a window and L how many windows there are, row by row.
    """

    module = "nn.Unfold"
    function = "F.unfold"
    positional = ("kernel_size",)

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        extents = self.extents(ctx, input)
        *batch, channels = input.shape[:-2]
        rows = channels * product(self.kernel())
        return input.with_shape(*batch, rows, self.blocks(ctx, extents))


@register("fold", torch="torch.nn.Fold")
class Fold(_SlidingBlocks):
    """Columns as windows of an image, added up where they overlap (col2im).

    float[N, C * kernel, L] -> float[N, C, H, W], or without N. `kernel` is the number
    of elements of a window, `output_size` is [H, W], and L must be the number of
    windows that such an image has.
    """

    output_size: Shape

    module = "nn.Fold"
    function = "F.fold"
    positional = ("output_size", "kernel_size")

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        ctx.require_rank("input", input, 2, 3)
        *batch, rows, columns = input.shape
        size = product(self.kernel())
        ctx.require_multiple("the number of rows", rows, "kernel_size", size)
        extents = self.per_dim(self.output_size, "output_size")
        for extent in extents:
            ctx.require_least("output_size", extent, 1)
        message = "fold needs as many columns as the image has windows"
        ctx.require_equal(message, columns, self.blocks(ctx, extents), "input")
        return input.with_shape(*batch, rows // size, *extents)

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        size = sizes_text(ctx, self.per_dim(self.output_size, "output_size"))
        return f"{super().label(ctx, outputs, input)}, to {size}"
