"""Pooling: the maximum or the mean of windows."""

from __future__ import annotations

from compiler.op.arg_types import Counts, Shape, Size, Sizes
from compiler.op.context import Context
from compiler.op.op import Outputs
from compiler.op.registry import register
from compiler.ops._pool_base import (
    PoolWithIndices,
    WindowPool,
    count_windows,
    require_whole_window,
)
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType


class _Pool(WindowPool):
    """What the ops share that slide a window, and may pad before."""

    padding: Counts = (Dim.of(0),)
    ceil_mode: bool = False

    def infer(self, ctx: Context, input: TensorType) -> Outputs:
        return self.pooled(ctx, input)

    def pooled(self, ctx: Context, input: TensorType) -> TensorType:
        """The type of what is in the windows."""
        extents = self.extents(ctx, input)
        sizes = tuple(self.size(ctx, i, size) for i, size in enumerate(extents))
        return self.with_extents(input, sizes)

    def dilations(self) -> Shape:
        """The dilation of the window along each dimension."""
        return (Dim.of(1),) * self.spatial

    def size(self, ctx: Context, i: int, size: Dim) -> Dim:
        """The output's size along spatial dimension `i`."""
        kernel = self.per_dim(self.kernel_size, "kernel_size")[i]
        padding = self.per_dim(self.padding, "padding")[i]
        steps = self.strides()[i], padding, self.dilations()[i]
        return count_windows(ctx, size, kernel, *steps, ceil_mode=self.ceil_mode)


class _MaxPool(PoolWithIndices, _Pool):
    """What the maximum pools share."""

    dilation: Sizes = (Dim.of(1),)

    def infer(self, ctx: Context, input: TensorType) -> Outputs:
        return self.with_indices(self.pooled(ctx, input))

    def dilations(self) -> Shape:
        return self.per_dim(self.dilation, "dilation")


@register("max_pool1d", torch="torch.nn.MaxPool1d")
class MaxPool1d(_MaxPool):
    """The maximum of each window of a signal.

    float[N, C, L] -> float[N, C, L'], or without N. With `return_indices` the output
    `indices`, int of the same shape, says where each one was.
    """

    module = "nn.MaxPool1d"
    function = "F.max_pool1d"
    spatial = 1


@register("max_pool2d", torch="torch.nn.MaxPool2d")
class MaxPool2d(_MaxPool):
    """The maximum of each window of an image.

    float[N, C, H, W] -> float[N, C, H', W'], or without N. With `return_indices` the
    output `indices`, int of the same shape, says where each one was: h * W + w.
    """

    module = "nn.MaxPool2d"
    function = "F.max_pool2d"
    spatial = 2


@register("max_pool3d", torch="torch.nn.MaxPool3d")
class MaxPool3d(_MaxPool):
    """The maximum of each window of a volume.

    float[N, C, D, H, W] -> float[N, C, D', H', W'], or without N. With
    `return_indices` the output `indices`, int of the same shape, says where each was.
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
        kernel = self.per_dim(self.kernel_size, "kernel_size")[i]
        require_whole_window(ctx, size, kernel)
        return super().size(ctx, i, size)
