"""Power-average pooling: the p-norm of each window."""

from __future__ import annotations

import math

from compiler.op import errors
from compiler.op.context import Context
from compiler.op.flow import Flow, FlowCall, flow_rule
from compiler.op.flow_rules import spatial_windows
from compiler.op.registry import register
from compiler.ops._pool_base import WindowPool, count_windows, require_whole_window
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType


class _LPPool(WindowPool):
    """Base class of the power-average pools."""

    ceil_mode: bool = False
    norm_type: float

    family = "pooling"
    positional = ("norm_type", "kernel_size")

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        if self.norm_type == 0:
            message = "norm_type must not be 0"
            raise errors.constraint(message, argument="norm_type")
        extents = self.extents(ctx, input)
        sizes = tuple(self.size(ctx, i, size) for i, size in enumerate(extents))
        return self.with_extents(input, sizes)

    @flow_rule("window")
    def flow(self, call: FlowCall) -> Flow:
        """Element w reads stride * w to stride * w + kernel - 1."""
        kernels = map(call.number, self.per_dim(self.kernel_size, "kernel_size"))
        strides = map(call.number, self.strides())
        pairs = zip(kernels, strides, strict=True)
        windows = [(0, (kernel or 1) - 1, stride or 1) for kernel, stride in pairs]
        return spatial_windows(self, call, windows, mixes_channels=False)

    def size(self, ctx: Context, i: int, size: Dim) -> Dim:
        """The output size along spatial dimension `i`."""
        kernel = self.per_dim(self.kernel_size, "kernel_size")[i]
        steps = self.strides()[i], Dim.of(0), Dim.of(1)
        return count_windows(ctx, size, kernel, *steps, ceil_mode=self.ceil_mode)

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        p = "∞" if math.isinf(self.norm_type) else f"{self.norm_type:g}"
        return f"p {p}, {super().label(ctx, outputs, input)}"


@register("lp_pool1d", torch="torch.nn.LPPool1d")
class LPPool1d(_LPPool):
    """1D power-average pooling: (Σ x^p)^(1/p) over each window, where p is `norm_type`.

    float[N, C, L] -> float[N, C, L']; N is optional.
    """

    module = "nn.LPPool1d"
    function = "F.lp_pool1d"
    spatial = 1


@register("lp_pool2d", torch="torch.nn.LPPool2d")
class LPPool2d(_LPPool):
    """2D power-average pooling: (Σ x^p)^(1/p) over each window, where p is `norm_type`.

    float[N, C, H, W] -> float[N, C, H', W']; N is optional.
    """

    module = "nn.LPPool2d"
    function = "F.lp_pool2d"
    spatial = 2


@register("lp_pool3d", torch="torch.nn.LPPool3d")
class LPPool3d(_LPPool):
    """3D power-average pooling: (Σ x^p)^(1/p) over each window, where p is `norm_type`.

    float[N, C, D, H, W] -> float[N, C, D', H', W']; N is optional.
    """

    module = "nn.LPPool3d"
    function = "F.lp_pool3d"
    spatial = 3

    def size(self, ctx: Context, i: int, size: Dim) -> Dim:
        if not math.isinf(self.norm_type):
            kernel = self.per_dim(self.kernel_size, "kernel_size")[i]
            require_whole_window(ctx, size, kernel)
        return super().size(ctx, i, size)
