"""Pooling: the maximum or the mean of windows."""

from __future__ import annotations

from compiler import faults
from compiler.context import Context
from compiler.dims import Dim
from compiler.fields import Counts, Shape, Size, Sizes
from compiler.ops._spatial import SpatialOp, require_window, span, times, unless_one
from compiler.registry import register
from compiler.tensor import TensorType


class _Pool(SpatialOp):
    """What the ops share that slide a window.

    The stride is the kernel's size where it is left out.
    """

    kernel_size: Sizes
    stride: Sizes | None = None
    padding: Counts = (Dim.of(0),)
    ceil_mode: bool = False

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        extents = self.extents(ctx, input)
        sizes = tuple(self.size(ctx, i, size) for i, size in enumerate(extents))
        return self.with_extents(input, sizes)

    def dilations(self) -> Shape:
        """The dilation of the window along each dimension."""
        return (Dim.of(1),) * self.spatial

    def strides(self) -> Shape:
        """The stride along each dimension."""
        return self.spread(self.stride or self.kernel_size, "stride")

    def size(self, ctx: Context, i: int, size: Dim) -> Dim:
        """The output's size along spatial dimension `i`."""
        kernel = self.spread(self.kernel_size, "kernel_size")[i]
        padding = self.spread(self.padding, "padding")[i]
        if not ctx.domain.at_least(ctx.value(kernel - 2 * padding), 0):
            message = "padding must be at most half of kernel_size"
            raise faults.constraint(message, argument="padding")
        stride, window = self.strides()[i], span(kernel, self.dilations()[i])
        least = window - stride + 1 if self.ceil_mode else window
        require_window(ctx, size + 2 * padding, least)
        if not self.ceil_mode:
            return (size + 2 * padding - window) // stride + 1
        # A window may hang over the end but must start before it. Where the stride is
        # so large that one could start in the padding, that alone limits their number.
        if ctx.domain.at_least(ctx.value(window - padding - stride), 0):
            return (size + 2 * padding - window + stride - 1) // stride + 1
        return (size + padding + stride - 1) // stride

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        kernel = times(ctx, self.spread(self.kernel_size, "kernel_size"))
        return ", ".join([kernel, *unless_one(ctx, "stride", self.strides())])


class _MaxPool(_Pool):
    """What the maximum pools share."""

    dilation: Sizes = (Dim.of(1),)

    def dilations(self) -> Shape:
        return self.spread(self.dilation, "dilation")


@register("max_pool1d", torch="torch.nn.MaxPool1d")
class MaxPool1d(_MaxPool):
    """The maximum of each window of a signal.

    float[N, C, L] -> float[N, C, L'], or without N.
    """

    module = "nn.MaxPool1d"
    function = "F.max_pool1d"
    spatial = 1


@register("max_pool2d", torch="torch.nn.MaxPool2d")
class MaxPool2d(_MaxPool):
    """The maximum of each window of an image.

    float[N, C, H, W] -> float[N, C, H', W'], or without N.
    """

    module = "nn.MaxPool2d"
    function = "F.max_pool2d"
    spatial = 2


@register("max_pool3d", torch="torch.nn.MaxPool3d")
class MaxPool3d(_MaxPool):
    """The maximum of each window of a volume.

    float[N, C, D, H, W] -> float[N, C, D', H', W'], or without N.
    """

    module = "nn.MaxPool3d"
    function = "F.max_pool3d"
    spatial = 3


@register("avg_pool1d", torch="torch.nn.AvgPool1d")
class AvgPool1d(_Pool):
    """The mean of each window of a signal.

    float[N, C, L] -> float[N, C, L'], or without N.
    """

    count_include_pad: bool = True

    module = "nn.AvgPool1d"
    function = "F.avg_pool1d"
    spatial = 1


@register("avg_pool2d", torch="torch.nn.AvgPool2d")
class AvgPool2d(_Pool):
    """The mean of each window of an image.

    float[N, C, H, W] -> float[N, C, H', W'], or without N.
    """

    count_include_pad: bool = True
    divisor_override: Size | None = None

    module = "nn.AvgPool2d"
    function = "F.avg_pool2d"
    spatial = 2


@register("avg_pool3d", torch="torch.nn.AvgPool3d")
class AvgPool3d(_Pool):
    """The mean of each window of a volume.

    float[N, C, D, H, W] -> float[N, C, D', H', W'], or without N.
    """

    count_include_pad: bool = True
    divisor_override: Size | None = None

    module = "nn.AvgPool3d"
    function = "F.avg_pool3d"
    spatial = 3

    def size(self, ctx: Context, i: int, size: Dim) -> Dim:
        # Unlike its siblings, torch's kernel wants the window to fit without padding.
        kernel = self.spread(self.kernel_size, "kernel_size")[i]
        number = ctx.constant(kernel, "kernel_size", "kernel_size")
        ctx.require_least("the input before padding", size, number, "input")
        return super().size(ctx, i, size)


class _AdaptivePool(SpatialOp):
    """What the ops share that cut the input into `output_size` windows."""

    output_size: Shape

    positional = ("output_size",)

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        self.extents(ctx, input)
        sizes = self.spread(self.output_size, "output_size")
        for size in sizes:
            ctx.require_least("output_size", size, 1)
        return self.with_extents(input, sizes)

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        return f"to {times(ctx, self.spread(self.output_size, 'output_size'))}"


@register("adaptive_avg_pool1d", torch="torch.nn.AdaptiveAvgPool1d")
class AdaptiveAvgPool1d(_AdaptivePool):
    """The means of `output_size` windows of a signal.

    float[N, C, L] -> float[N, C, output_size], or without N.
    """

    module = "nn.AdaptiveAvgPool1d"
    function = "F.adaptive_avg_pool1d"
    spatial = 1


@register("adaptive_avg_pool2d", torch="torch.nn.AdaptiveAvgPool2d")
class AdaptiveAvgPool2d(_AdaptivePool):
    """The means of `output_size` windows of an image.

    float[N, C, H, W] -> float[N, C, *output_size], or without N.
    """

    module = "nn.AdaptiveAvgPool2d"
    function = "F.adaptive_avg_pool2d"
    spatial = 2


@register("adaptive_avg_pool3d", torch="torch.nn.AdaptiveAvgPool3d")
class AdaptiveAvgPool3d(_AdaptivePool):
    """The means of `output_size` windows of a volume.

    float[N, C, D, H, W] -> float[N, C, *output_size], or without N.
    """

    module = "nn.AdaptiveAvgPool3d"
    function = "F.adaptive_avg_pool3d"
    spatial = 3


@register("adaptive_max_pool1d", torch="torch.nn.AdaptiveMaxPool1d")
class AdaptiveMaxPool1d(_AdaptivePool):
    """The maxima of `output_size` windows of a signal.

    float[N, C, L] -> float[N, C, output_size], or without N.
    """

    module = "nn.AdaptiveMaxPool1d"
    function = "F.adaptive_max_pool1d"
    spatial = 1


@register("adaptive_max_pool2d", torch="torch.nn.AdaptiveMaxPool2d")
class AdaptiveMaxPool2d(_AdaptivePool):
    """The maxima of `output_size` windows of an image.

    float[N, C, H, W] -> float[N, C, *output_size], or without N.
    """

    module = "nn.AdaptiveMaxPool2d"
    function = "F.adaptive_max_pool2d"
    spatial = 2


@register("adaptive_max_pool3d", torch="torch.nn.AdaptiveMaxPool3d")
class AdaptiveMaxPool3d(_AdaptivePool):
    """The maxima of `output_size` windows of a volume.

    float[N, C, D, H, W] -> float[N, C, *output_size], or without N.
    """

    module = "nn.AdaptiveMaxPool3d"
    function = "F.adaptive_max_pool3d"
    spatial = 3
