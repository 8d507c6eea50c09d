"""Deformable convolution over images."""

from __future__ import annotations

from compiler.op.arg_types import Counts
from compiler.op.combine_flows import AxisJoiner, without
from compiler.op.context import Context
from compiler.op.dependence import Dependence
from compiler.op.flow import FlowCall, flow_rule
from compiler.op.op import Port, Shape, product
from compiler.op.registry import register
from compiler.ops._conv_base import ZERO, Convolution
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType


@register("deform_conv2d", torch="")
class DeformConv2d(Convolution):
    """2D convolution that reads at its kernel's positions plus `offset`, by bilinear interpolation.

    float[N, in_channels, H, W], float[N, 2 * G * kh * kw, H', W'], float[N, G * kh *
    kw, H', W']? -> float[N, out_channels, H', W']. kh and kw are the kernel's sizes. G
    follows from the offsets: each of G groups of input channels has its own, in pixels,
    y before x for each position of the kernel. What is read beyond the borders is 0.
    `mask` multiplies what is read (version 2). Source: Dai et al., "Deformable
    Convolutional Networks", 2017; Zhu et al., "Deformable ConvNets v2", 2019;
    torchvision.ops.DeformConv2d.
    """

    padding: Counts = (ZERO,)

    family = "conv"
    module = "DeformConv2d"
    library = "deform_conv2d"
    spatial = 2
    by_place = True
    inputs = (Port("input"), Port("offset"), Port("mask", optional=True))

    def infer(
        self,
        ctx: Context,
        input: TensorType,
        offset: TensorType,
        mask: TensorType | None = None,
    ) -> TensorType:
        ctx.require_rank("input", input, 4)
        self.require_groups(ctx, input)
        output = self.with_channels(input, self._sizes(ctx, input))
        positions = product(self.per_dim(self.kernel_size, "kernel_size"))
        ctx.require_rank("offset", offset, 4)
        groups = self._offset_groups(ctx, input, offset, positions * 2)
        self._require_size(ctx, "offset", offset, output, groups * positions * 2)
        if mask is not None:
            ctx.require_rank("mask", mask, 4)
            self._require_size(ctx, "mask", mask, output, groups * positions)
        return output

    def _sizes(self, ctx: Context, input: TensorType) -> Shape:
        """The height and width of the output."""
        strides = self.per_dim(self.stride, "stride")
        paddings = self.per_dim(self.padding, "padding")
        dims = zip(
            self.extents(ctx, input),
            strides,
            self.dilated_kernel(),
            (2 * padding for padding in paddings),
            strict=True,
        )
        return tuple(self.windows_along(ctx, *dim) for dim in dims)

    def _offset_groups(
        self, ctx: Context, input: TensorType, offset: TensorType, of_each: Dim
    ) -> Dim:
        """The number of groups of input channels that have offsets of their own."""
        channels, what = offset.shape[1], "the number of offset channels"
        ctx.constant(channels, what)
        ctx.require_least(what, channels, 1, "offset")
        by = "2 * the kernel's size"
        ctx.require_multiple(what, channels, by, of_each, port="offset")
        groups, what = channels // of_each, "the number of input channels"
        by = "the number of offset groups"
        ctx.require_multiple(what, self.channels(input), by, groups, port="offset")
        return groups

    def _require_size(
        self,
        ctx: Context,
        port: str,
        tensor: TensorType,
        output: TensorType,
        channels: Dim,
    ) -> None:
        """Check the shape of an input that has values for each position of the output."""
        wanted = output.with_size(1, channels)
        message = f"deform_conv2d needs {port} of shape {ctx.values(wanted)}"
        for size, right in zip(tensor.shape, wanted.shape, strict=True):
            ctx.require_equal(message, size, right, port)

    @flow_rule("sized")
    def flow(self, call: FlowCall) -> Dependence:
        """An element reads the image where the offsets at its place say: anywhere in T."""
        reason = "deform_conv2d reads anywhere in T"
        image = without(call["input"], {1, 2, 3}, reason)
        others = [
            without(call[port], {1}, "the offsets' channels carry T")
            for port in ("offset", "mask")
            if call.has(port)
        ]
        joiner = AxisJoiner(4)
        for axes in (image.axes[:1], *(other.axes for other in others)):
            for place, axis in enumerate(axes):
                joiner.add(place, None if place == 1 else axis)
        return joiner.result(image, *others)
