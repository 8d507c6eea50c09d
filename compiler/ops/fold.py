"""Sliding blocks of an image as columns (unfold), and the reverse (fold)."""

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
    """Base class: blocks of `kernel_size` that slide over an image."""

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
        """The number of blocks of an image."""
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
    """The number of blocks along one dimension."""
    window = dilated_size(kernel, dilation)
    require_window(ctx, size + 2 * padding, window)
    return (size + 2 * padding - window) // stride + 1


@register("unfold", torch="torch.nn.Unfold")
class Unfold(_SlidingBlocks):
    """Extracts sliding blocks as columns, as a convolution sees them (im2col).

    float[N, C, H, W] -> float[N, C * kernel, L]; N is optional. `kernel` is the number
    of elements of a block, and L the number of blocks, in row-major order.
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
    """Combines columns into an image, summing where blocks overlap (col2im).

    float[N, C * kernel, L] -> float[N, C, H, W]; N is optional. `kernel` is the number
    of elements of a block. `output_size` is [H, W]; L must be the number of blocks of
    such an image.
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
        message = "fold needs as many columns as the image has blocks"
        ctx.require_equal(message, columns, self.blocks(ctx, extents), "input")
        return input.with_shape(*batch, rows // size, *extents)

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        size = sizes_text(ctx, self.per_dim(self.output_size, "output_size"))
        return f"{super().label(ctx, outputs, input)}, to {size}"
