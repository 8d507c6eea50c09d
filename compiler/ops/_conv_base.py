"""What convolutions, transposed and deformable ones have in common."""

from __future__ import annotations

from typing import Any, Final, Literal

from compiler.op.arg_types import Counts, Size, Sizes
from compiler.op.context import Context
from compiler.op.op import Shape, product
from compiler.ops._spatial import (
    SpatialOp,
    dilated_size,
    label_unless_one,
    require_window,
    sizes_text,
)
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType

ONE: Final = Dim.of(1)
ZERO: Final = Dim.of(0)


class Convolution(SpatialOp):
    """Base class. What else a convolution takes than its input changes none of its sizes."""

    out_channels: Size
    kernel_size: Sizes
    stride: Sizes = (ONE,)
    padding: Counts | Literal["same", "valid"] = (ZERO,)
    dilation: Sizes = (ONE,)
    groups: Size = ONE
    bias: bool = True

    fresh = True
    positional = ("out_channels",)

    def channels(self, input: TensorType) -> Dim:
        """The number of input channels."""
        return input.shape[-self.spatial - 1]

    def require_groups(self, ctx: Context, input: TensorType) -> None:
        """Check that `groups` divides the number of input and output channels."""
        for what, size in (
            ("the number of input channels", self.channels(input)),
            ("out_channels", self.out_channels),
        ):
            ctx.require_multiple(what, size, "groups", self.groups, "groups")

    def with_channels(self, input: TensorType, sizes: Shape) -> TensorType:
        """The output type: out_channels and the given spatial sizes."""
        batch = input.shape[: -self.spatial - 1]
        return input.with_shape(*batch, self.out_channels, *sizes)

    def inferred(self, input: TensorType, **_: Any) -> dict[str, Dim]:
        return {"in_channels": self.channels(input)}

    def weight(self, input: TensorType) -> Shape:
        """The shape of the weight."""
        kernel = self.per_dim(self.kernel_size, "kernel_size")
        return (self.out_channels, self.channels(input) // self.groups, *kernel)

    def weights(self, input: TensorType, **_: Any) -> dict[str, Shape]:
        weight = {"weight": self.weight(input)}
        return weight | ({"bias": (self.out_channels,)} if self.bias else {})

    def dilated_kernel(self) -> Shape:
        """The number of elements that the dilated kernel spans along each dimension."""
        kernel = self.per_dim(self.kernel_size, "kernel_size")
        dilation = self.per_dim(self.dilation, "dilation")
        return tuple(dilated_size(k, d) for k, d in zip(kernel, dilation, strict=True))

    def windows_along(
        self, ctx: Context, size: Dim, stride: Dim, span: Dim, padding: Dim
    ) -> Dim:
        """The output size along one dimension; `padding` is the total of both sides."""
        require_window(ctx, size + padding, span)
        return (size + padding - span) // stride + 1

    def positions(self, input: TensorType, output: TensorType) -> Dim:
        """The number of positions at which the kernel is applied, over the batch."""
        return output.with_size(-self.spatial - 1, 1).numel

    def flops(
        self, outputs: tuple[TensorType, ...], input: TensorType, **_: Any
    ) -> Dim:
        return self.positions(input, outputs[0]) * product(self.weight(input)) * 2

    def label(
        self,
        ctx: Context,
        outputs: tuple[TensorType, ...],
        input: TensorType,
        **_: Any,
    ) -> str:
        parts = [
            sizes_text(ctx, self.per_dim(self.kernel_size, "kernel_size")),
            f"{ctx.value(self.channels(input))} → {ctx.value(self.out_channels)}",
            *label_unless_one(ctx, "stride", self.stride),
            *label_unless_one(ctx, "dilation", self.dilation),
            *label_unless_one(ctx, "groups", (self.groups,)),
        ]
        return ", ".join(parts)
