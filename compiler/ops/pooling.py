"""Max and average pooling."""

from __future__ import annotations

import math
from typing import ClassVar, Final

from compiler.codegen.python import Expr, call
from compiler.op.arg_types import Counts, Shape, Size, Sizes
from compiler.op.context import Context
from compiler.op.flow import Flow, FlowCall, flow_rule
from compiler.op.flow_rules import spatial_windows, with_flat_indices
from compiler.op.op import Code, Colour, Outputs
from compiler.op.registry import register
from compiler.ops._pool_base import (
    PoolWithIndices,
    WindowPool,
    count_windows,
    require_whole_window,
)
from compiler.ops._spatial import dilated_size
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType

COLOUR: Final[Colour] = "slate"


class _Pool(WindowPool):
    """Base class of pools with windows and padding."""

    padding: Counts = (Dim.of(0),)
    ceil_mode: bool = False

    state_library = "overlap"
    padded_with: ClassVar[float] = 0.0
    """What padding counts as."""

    def infer(self, ctx: Context, input: TensorType) -> Outputs:
        return self.pooled(ctx, input)

    @flow_rule("window")
    def flow(self, call: FlowCall) -> Flow:
        """Element w reads stride * w - padding to stride * w - padding + dilation * (kernel - 1)."""
        windows = []
        for i in range(self.spatial):
            kernel = self.per_dim(self.kernel_size, "kernel_size")[i]
            span = call.number(dilated_size(kernel, self.dilations()[i])) or 1
            start = -(call.number(self.per_dim(self.padding, "padding")[i]) or 0)
            stride = call.number(self.strides()[i]) or 1
            windows.append((start, start + span - 1, stride))
        found = spatial_windows(self, call, windows, mixes_channels=False)
        return with_flat_indices(call, found, self.spatial)

    def can_resume(self, axis: int) -> bool:
        """Where each window is that of the whole, whatever is padded after it."""
        average = getattr(self, "count_include_pad", True)
        return average and not self.ceil_mode and len(self.ports(1)) == 1

    def initial_state(self, code: Code) -> Expr:
        return call("Recent")

    def apply(self, code: Code, input: Expr) -> Expr:
        apply = super().apply
        return self.with_past(
            code, input, "padding", lambda x: apply(code, input=x), self.padded_with
        )

    def pooled(self, ctx: Context, input: TensorType) -> TensorType:
        """The output type."""
        extents = self.extents(ctx, input)
        sizes = tuple(self.size(ctx, i, size) for i, size in enumerate(extents))
        return self.with_extents(input, sizes)

    def dilations(self) -> Shape:
        """The dilation of the window along each dimension."""
        return (Dim.of(1),) * self.spatial

    def size(self, ctx: Context, i: int, size: Dim) -> Dim:
        """The output size along spatial dimension `i`."""
        kernel = self.per_dim(self.kernel_size, "kernel_size")[i]
        padding = self.per_dim(self.padding, "padding")[i]
        steps = self.strides()[i], padding, self.dilations()[i]
        return count_windows(ctx, size, kernel, *steps, ceil_mode=self.ceil_mode)


class _MaxPool(PoolWithIndices, _Pool):
    """Base class of the max pools."""

    dilation: Sizes = (Dim.of(1),)

    padded_with = -math.inf

    def infer(self, ctx: Context, input: TensorType) -> Outputs:
        return self.with_indices(self.pooled(ctx, input))

    def dilations(self) -> Shape:
        return self.per_dim(self.dilation, "dilation")


@register("max_pool1d", torch="torch.nn.MaxPool1d")
class MaxPool1d(_MaxPool):
    """1D max pooling: float[N, C, L] -> float[N, C, L']; N is optional.

    The stride defaults to the kernel size. With `return_indices`, the output `indices`
    (int, same shape) holds the positions of the maxima as flat indices.
    """

    module = "nn.MaxPool1d"
    function = "F.max_pool1d"
    spatial = 1


@register("max_pool2d", torch="torch.nn.MaxPool2d")
class MaxPool2d(_MaxPool):
    """2D max pooling: float[N, C, H, W] -> float[N, C, H', W']; N is optional.

    The stride defaults to the kernel size. With `return_indices`, the output `indices`
    (int, same shape) holds the positions of the maxima as flat indices, h * W + w.
    """

    module = "nn.MaxPool2d"
    function = "F.max_pool2d"
    spatial = 2


@register("max_pool3d", torch="torch.nn.MaxPool3d")
class MaxPool3d(_MaxPool):
    """3D max pooling: float[N, C, D, H, W] -> float[N, C, D', H', W']; N is optional.

    The stride defaults to the kernel size. With `return_indices`, the output `indices`
    (int, same shape) holds the positions of the maxima as flat indices, (d * H + h) * W
    + w.
    """

    module = "nn.MaxPool3d"
    function = "F.max_pool3d"
    spatial = 3


@register("avg_pool1d", torch="torch.nn.AvgPool1d")
class AvgPool1d(_Pool):
    """1D average pooling: float[N, C, L] -> float[N, C, L']; N is optional.

    The stride defaults to the kernel size. `count_include_pad` counts padding as zeros
    in the mean.
    """

    count_include_pad: bool = True

    module = "nn.AvgPool1d"
    function = "F.avg_pool1d"
    spatial = 1


@register("avg_pool2d", torch="torch.nn.AvgPool2d")
class AvgPool2d(_Pool):
    """2D average pooling: float[N, C, H, W] -> float[N, C, H', W']; N is optional.

    The stride defaults to the kernel size. `count_include_pad` counts padding as zeros
    in the mean; `divisor_override` replaces the divisor.
    """

    count_include_pad: bool = True
    divisor_override: Size | None = None

    module = "nn.AvgPool2d"
    function = "F.avg_pool2d"
    spatial = 2


@register("avg_pool3d", torch="torch.nn.AvgPool3d")
class AvgPool3d(_Pool):
    """3D average pooling: float[N, C, D, H, W] -> float[N, C, D', H', W']; N is optional.

    The stride defaults to the kernel size. `count_include_pad` counts padding as zeros
    in the mean; `divisor_override` replaces the divisor.
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
