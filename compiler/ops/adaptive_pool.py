"""Adaptive pooling: the output size is given, and the windows follow from it."""

from __future__ import annotations

from compiler.op.arg_types import Shape
from compiler.op.context import Context
from compiler.op.flow_rules import sized_windows
from compiler.op.op import Outputs
from compiler.op.registry import register
from compiler.ops._pool_base import PoolWithIndices
from compiler.ops._spatial import SpatialOp, sizes_text
from compiler.symbolic.tensor import TensorType


class _AdaptivePool(SpatialOp):
    """Base class of the adaptive pools: the input is divided into `output_size` windows."""

    output_size: Shape

    family = "pooling"
    positional = ("output_size",)
    flow = sized_windows

    def infer(self, ctx: Context, input: TensorType) -> Outputs:
        return self.pooled(ctx, input)

    def pooled(self, ctx: Context, input: TensorType) -> TensorType:
        """The output type."""
        self.extents(ctx, input)
        sizes = self.per_dim(self.output_size, "output_size")
        for size in sizes:
            ctx.require_least("output_size", size, 1)
        return self.with_extents(input, sizes)

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        return f"to {sizes_text(ctx, self.per_dim(self.output_size, 'output_size'))}"


@register("adaptive_avg_pool1d", torch="torch.nn.AdaptiveAvgPool1d")
class AdaptiveAvgPool1d(_AdaptivePool):
    """1D adaptive average pooling: the mean of each of `output_size` windows.

    float[N, C, L] -> float[N, C, output_size]; N is optional.
    """

    module = "nn.AdaptiveAvgPool1d"
    function = "F.adaptive_avg_pool1d"
    spatial = 1


@register("adaptive_avg_pool2d", torch="torch.nn.AdaptiveAvgPool2d")
class AdaptiveAvgPool2d(_AdaptivePool):
    """2D adaptive average pooling: the mean of each of `output_size` windows.

    float[N, C, H, W] -> float[N, C, *output_size]; N is optional.
    """

    module = "nn.AdaptiveAvgPool2d"
    function = "F.adaptive_avg_pool2d"
    spatial = 2


@register("adaptive_avg_pool3d", torch="torch.nn.AdaptiveAvgPool3d")
class AdaptiveAvgPool3d(_AdaptivePool):
    """3D adaptive average pooling: the mean of each of `output_size` windows.

    float[N, C, D, H, W] -> float[N, C, *output_size]; N is optional.
    """

    module = "nn.AdaptiveAvgPool3d"
    function = "F.adaptive_avg_pool3d"
    spatial = 3


class _AdaptiveMaxPool(PoolWithIndices, _AdaptivePool):
    """Base class of the adaptive max pools."""

    def infer(self, ctx: Context, input: TensorType) -> Outputs:
        return self.with_indices(self.pooled(ctx, input))


@register("adaptive_max_pool1d", torch="torch.nn.AdaptiveMaxPool1d")
class AdaptiveMaxPool1d(_AdaptiveMaxPool):
    """1D adaptive max pooling: the maximum of each of `output_size` windows.

    float[N, C, L] -> float[N, C, output_size]; N is optional. With `return_indices`,
    the output `indices` (int, same shape) holds the positions of the maxima.
    """

    module = "nn.AdaptiveMaxPool1d"
    function = "F.adaptive_max_pool1d"
    spatial = 1


@register("adaptive_max_pool2d", torch="torch.nn.AdaptiveMaxPool2d")
class AdaptiveMaxPool2d(_AdaptiveMaxPool):
    """2D adaptive max pooling: the maximum of each of `output_size` windows.

    float[N, C, H, W] -> float[N, C, *output_size]; N is optional. With
    `return_indices`, the output `indices` (int, same shape) holds the positions of the
    maxima.
    """

    module = "nn.AdaptiveMaxPool2d"
    function = "F.adaptive_max_pool2d"
    spatial = 2


@register("adaptive_max_pool3d", torch="torch.nn.AdaptiveMaxPool3d")
class AdaptiveMaxPool3d(_AdaptiveMaxPool):
    """3D adaptive max pooling: the maximum of each of `output_size` windows.

    float[N, C, D, H, W] -> float[N, C, *output_size]; N is optional. With
    `return_indices`, the output `indices` (int, same shape) holds the positions of the
    maxima.
    """

    module = "nn.AdaptiveMaxPool3d"
    function = "F.adaptive_max_pool3d"
    spatial = 3
