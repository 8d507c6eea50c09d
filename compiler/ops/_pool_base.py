"""What the ops share that slide a window over signals, images and volumes."""

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
    """Base of the ops whose windows are `kernel_size` large and `stride` apart.

    The stride is the kernel's size where it is left out.
    """

    kernel_size: Sizes
    stride: Sizes | None = None

    def strides(self) -> Shape:
        """The stride along each dimension."""
        return self.per_dim(self.stride or self.kernel_size, "stride")

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        kernel = sizes_text(ctx, self.per_dim(self.kernel_size, "kernel_size"))
        return ", ".join([kernel, *label_unless_one(ctx, "stride", self.strides())])


class PoolWithIndices(SpatialOp):
    """Base of the ops that give the places of maxima too where `return_indices`."""

    return_indices: bool = False

    outputs: ClassVar[tuple[str, ...] | None] = None

    def ports(self) -> tuple[str, ...]:
        return ("output", "indices") if self.return_indices else ("output",)

    def with_indices(self, output: TensorType) -> Outputs:
        """The output, and a place in the plane of the input for each element of it."""
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
    """How many windows there are along a dimension: the output's size."""
    if not ctx.domain.at_least(ctx.value(kernel - 2 * padding), 0):
        message = "padding must be at most half of kernel_size"
        raise errors.constraint(message, argument="padding")
    window = dilated_size(kernel, dilation)
    least = window - stride + 1 if ceil_mode else window
    require_window(ctx, size + 2 * padding, least)
    if not ceil_mode:
        return (size + 2 * padding - window) // stride + 1
    # A window may hang over the end but must start before it. Where the stride is so
    # large that one could start in the padding, that alone limits their number.
    if ctx.domain.at_least(ctx.value(window - padding - stride), 0):
        return (size + 2 * padding - window + stride - 1) // stride + 1
    return (size + padding + stride - 1) // stride


def require_whole_window(ctx: Context, size: Dim, kernel: Dim) -> None:
    """A window must fit without padding: torch's means of volumes want that."""
    number = ctx.constant(kernel, "kernel_size", "kernel_size")
    ctx.require_least("the input before padding", size, number, "input")
