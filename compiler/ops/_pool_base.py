"""Base classes of pooling ops, and the number of windows along a dimension."""

from __future__ import annotations

from typing import ClassVar

from compiler.op import errors
from compiler.op.arg_types import Sizes
from compiler.op.context import Context
from compiler.op.op import Outputs, Shape
from compiler.ops._spatial import (
    SpatialOp,
    dilated_size,
    label_unless_one,
    require_window,
    sizes_text,
)
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType


class WindowPool(SpatialOp):
    """Base class of ops with windows of `kernel_size`, `stride` apart; the stride defaults to the kernel size."""

    kernel_size: Sizes
    stride: Sizes | None = None

    def strides(self) -> Shape:
        """The stride along each spatial dimension."""
        return self.per_dim(self.stride or self.kernel_size, "stride")

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        kernel = sizes_text(ctx, self.per_dim(self.kernel_size, "kernel_size"))
        return ", ".join([kernel, *label_unless_one(ctx, "stride", self.strides())])


class PoolWithIndices(SpatialOp):
    """Base class of max pooling: with `return_indices`, the second output `indices` holds the maxima's positions."""

    return_indices: bool = False

    outputs: ClassVar[tuple[str, ...] | None] = None

    def ports(self, count: int) -> tuple[str, ...]:
        return ("output", "indices") if self.return_indices else ("output",)

    def with_indices(self, output: TensorType) -> Outputs:
        """The output type, and with `return_indices` that of the indices: int of the same shape."""
        if not self.return_indices:
            return output
        return output, TensorType("int", output.shape)


def count_windows(
    ctx: Context,
    size: Dim,
    kernel: Dim,
    stride: Dim,
    padding: Dim,
    dilation: Dim,
    *,
    ceil_mode: bool,
) -> Dim:
    """The number of windows along one dimension, which is the output size.

    Raises:
        OpError: if the padding exceeds half of the kernel, or if no window fits.
    """
    if not ctx.at_least(kernel - 2 * padding, 0):
        message = "padding must be at most half of kernel_size"
        raise errors.constraint(message, argument="padding")
    window = dilated_size(kernel, dilation)
    least = window - stride + 1 if ceil_mode else window
    require_window(ctx, size + 2 * padding, least)
    if not ceil_mode:
        return (size + 2 * padding - window) // stride + 1
    # With ceil_mode a window may extend beyond the end of the padded input, but must
    # start within the input or the left padding. For a large stride, only the latter
    # limits the number of windows.
    if ctx.at_least(window - padding - stride, 0):
        return (size + 2 * padding - window + stride - 1) // stride + 1
    ctx.at_least(stride + padding - window, 1)  # or the other formula holds
    return (size + padding + stride - 1) // stride


def require_whole_window(ctx: Context, size: Dim, kernel: Dim) -> None:
    """Check that the window fits without padding, as torch requires of 3D average pooling."""
    ctx.constant(kernel, "kernel_size", "kernel_size")
    ctx.require_least("the unpadded input", size, kernel, "input")
