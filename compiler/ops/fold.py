"""Sliding blocks of an image as columns (unfold), and the reverse (fold)."""

from __future__ import annotations

from dataclasses import replace

from compiler.op.arg_types import Counts, Shape, Sizes
from compiler.op.combine_flows import merged, plus, without
from compiler.op.context import Context
from compiler.op.dependence import SIZE, Dependence
from compiler.op.flow import Flow, FlowCall, flow_rule, sized_axes
from compiler.op.flow_rules import Window, spatial_windows
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

    @flow_rule("window")
    def flow(self, call: FlowCall) -> Flow:
        """Columns are windows in row-major order: one axis of height and width."""
        kind = call.type("input")
        steps = [
            self.per_dim(sizes, name)
            for sizes, name in (
                (self.kernel_size, "kernel_size"),
                (self.dilation, "dilation"),
                (self.padding, "padding"),
                (self.stride, "stride"),
            )
        ]
        windows: list[Window] = []
        sizes = []
        for extent, *step in zip(kind.shape[-2:], *steps, strict=True):
            kernel, dilation, padding, stride = step
            start = -(call.number(padding) or 0)
            span = call.number(dilated_size(kernel, dilation)) or 1
            windows.append((start, start + span - 1, call.number(stride) or 1))
            blocks = _blocks_along(
                call.context, extent, kernel, dilation, padding, stride
            )
            sizes.append(call.value(blocks))
        found = spatial_windows(self, call, windows, mixes_channels=True)
        (image,) = found.outputs
        axes = (*image.axes[:-2], merged(image.axes[-2:], sizes))
        return replace(found, outputs=(replace(image, axes=axes),))


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

    @flow_rule("rate up", reads_sizes=True)
    def flow(self, call: FlowCall) -> Dependence:
        """An image of columns: over T, windows follow from the size."""
        flow, (output,) = call["input"], call.outputs
        axes = range(len(flow.axes) - 2, len(flow.axes))
        mixed = without(flow, axes, "fold sums over T")
        found = Dependence((*mixed.axes[:-2], *sized_axes(call, output)[-3:]))
        found = plus(found, mixed)
        if any(call.reads(size) for size in self.output_size):
            found = found.also({SIZE}, "fold places columns by the size of T")
        return found

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        size = sizes_text(ctx, self.per_dim(self.output_size, "output_size"))
        return f"{super().label(ctx, outputs, input)}, to {size}"
