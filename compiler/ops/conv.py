"""Convolutions and transposed convolutions."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Final, Literal

from compiler.codegen.python import Expr, call
from compiler.op import errors
from compiler.op.arg_types import Counts, Size, Sizes
from compiler.op.combine_flows import all_of, plus
from compiler.op.context import Context
from compiler.op.flow import Flow, FlowCall, flow_rule
from compiler.op.flow_rules import Window, spatial_windows
from compiler.op.op import Code, Colour, Shape, product
from compiler.op.registry import register
from compiler.ops._spatial import (
    SpatialOp,
    dilated_size,
    label_unless_one,
    require_padding_fits,
    require_window,
    sizes_text,
)
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType

COLOUR: Final[Colour] = "teal"

_ONE = Dim.of(1)
_ZERO = Dim.of(0)


class _Convolution(SpatialOp):
    """Base class of convolutions and transposed convolutions."""

    out_channels: Size
    kernel_size: Sizes
    stride: Sizes = (_ONE,)
    padding: Counts | Literal["same", "valid"] = (_ZERO,)
    dilation: Sizes = (_ONE,)
    groups: Size = _ONE
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

    def inferred(self, input: TensorType) -> dict[str, Dim]:
        return {"in_channels": self.channels(input)}

    def weight(self, input: TensorType) -> Shape:
        """The shape of the weight."""
        kernel = self.per_dim(self.kernel_size, "kernel_size")
        return (self.out_channels, self.channels(input) // self.groups, *kernel)

    def weights(self, input: TensorType) -> dict[str, Shape]:
        weight = {"weight": self.weight(input)}
        return weight | ({"bias": (self.out_channels,)} if self.bias else {})

    def positions(self, input: TensorType, output: TensorType) -> Dim:
        """The number of positions at which the kernel is applied, over the batch."""
        return output.with_size(-self.spatial - 1, 1).numel

    def flops(self, outputs: tuple[TensorType, ...], input: TensorType) -> Dim:
        return self.positions(input, outputs[0]) * product(self.weight(input)) * 2

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        parts = [
            sizes_text(ctx, self.per_dim(self.kernel_size, "kernel_size")),
            f"{ctx.value(self.channels(input))} → {ctx.value(self.out_channels)}",
            *label_unless_one(ctx, "stride", self.stride),
            *label_unless_one(ctx, "dilation", self.dilation),
            *label_unless_one(ctx, "groups", (self.groups,)),
        ]
        return ", ".join(parts)


class _Conv(_Convolution):
    """Base class of the convolutions."""

    padding_mode: Literal["zeros", "reflect", "replicate", "circular"] = "zeros"

    state_library = "overlap"

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        extents = self.extents(ctx, input)
        self.require_groups(ctx, input)
        strides = self.per_dim(self.stride, "stride")
        if self.padding == "same" and not all(map(ctx.is_one, strides)):
            message = "padding 'same' needs stride 1"
            raise errors.constraint(message, argument="padding")
        dims = zip(
            extents, strides, self.dilated_kernel(), self.total_padding(), strict=True
        )
        return self.with_channels(input, tuple(self.size(ctx, *dim) for dim in dims))

    @flow_rule("window")
    def flow(self, call: FlowCall) -> Flow:
        """Element w reads stride * w - padding to stride * w - padding + dilation * (kernel - 1), and all channels."""
        found = spatial_windows(self, call, self.windows(call), mixes_channels=True)
        return self._beyond_borders(call, found)

    def windows(self, call: FlowCall) -> list[Window]:
        """The elements that are read along each spatial dimension."""
        found: list[Window] = []
        strides = self.per_dim(self.stride, "stride")
        for span, padding, stride in zip(
            self.dilated_kernel(), self.total_padding(), strides, strict=True
        ):
            start = -((call.number(padding) or 0) // 2)
            last = start + (call.number(span) or 1) - 1
            found.append((start, last, call.number(stride) or 1))
        return found

    def _beyond_borders(self, call: FlowCall, found: Flow) -> Flow:
        """What paddings read that are not constant: elements at other places."""
        flow, first = call["input"], len(call["input"].axes) - self.spatial
        padded = {
            axis
            for axis, padding in enumerate(self.total_padding(), first)
            if self.padding_mode != "zeros" and call.number(padding) != 0
        }
        reason = f"padding by {self.padding_mode} reads other places of T"
        lost = [all_of(flow.axes[axis], reason) for axis in sorted(padded)]
        return replace(found, outputs=(plus(found.outputs[0], *lost),))

    def can_resume(self, axis: int) -> bool:
        """Where it pads with zeros by a number, by so many that no window looks ahead."""
        return self.padding_mode == "zeros" and not isinstance(self.padding, str)

    def initial_state(self, code: Code) -> Expr:
        return call("Recent")

    def apply(self, code: Code, input: Expr) -> Expr:
        apply = super().apply
        return self.with_past(code, input, "padding", lambda x: apply(code, input=x))

    def size(
        self, ctx: Context, size: Dim, stride: Dim, span: Dim, padding: Dim
    ) -> Dim:
        """The output size along one dimension; `padding` is the total of both sides."""
        require_padding_fits(ctx, self.padding_mode, size, (padding + 1) // 2)
        require_window(ctx, size + padding, span)
        return (size + padding - span) // stride + 1

    def dilated_kernel(self) -> Shape:
        """The number of elements that the dilated kernel spans along each dimension."""
        kernel = self.per_dim(self.kernel_size, "kernel_size")
        dilation = self.per_dim(self.dilation, "dilation")
        return tuple(dilated_size(k, d) for k, d in zip(kernel, dilation, strict=True))

    def total_padding(self) -> Shape:
        """The padding along each dimension, both sides together."""
        if self.padding == "same":
            return tuple(span - 1 for span in self.dilated_kernel())
        if isinstance(self.padding, str):
            return (_ZERO,) * self.spatial
        return tuple(2 * p for p in self.per_dim(self.padding, "padding"))


@register("conv1d", torch="torch.nn.Conv1d")
class Conv1d(_Conv):
    """1D convolution.

    float[N, in_channels, L] -> float[N, out_channels, L']; N is optional.
    """

    module = "nn.Conv1d"
    spatial = 1
    causal_hint = "pad only before the first position, by dilation * (kernel_size - 1)"


@register("conv2d", torch="torch.nn.Conv2d")
class Conv2d(_Conv):
    """2D convolution.

    float[N, in_channels, H, W] -> float[N, out_channels, H', W']; N is optional.
    """

    module = "nn.Conv2d"
    spatial = 2


@register("conv3d", torch="torch.nn.Conv3d")
class Conv3d(_Conv):
    """3D convolution.

    float[N, in_channels, D, H, W] -> float[N, out_channels, D', H', W']; N is optional.
    """

    module = "nn.Conv3d"
    spatial = 3


class _ConvTranspose(_Convolution):
    """Base class of the transposed convolutions."""

    padding: Counts = (_ZERO,)
    output_padding: Counts = (_ZERO,)

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        extents = self.extents(ctx, input)
        self.require_groups(ctx, input)
        sizes = tuple(self.size(ctx, i, size) for i, size in enumerate(extents))
        return self.with_channels(input, sizes)

    @flow_rule("rate up")
    def flow(self, call: FlowCall) -> Flow:
        """Element o reads those from (o + padding - dilation * (kernel - 1)) / stride to (o + padding) / stride."""
        windows: list[Window] = []
        for i in range(self.spatial):
            kernel = self.per_dim(self.kernel_size, "kernel_size")[i]
            dilation = self.per_dim(self.dilation, "dilation")[i]
            span = call.number(dilated_size(kernel, dilation)) or 1
            stride = call.number(self.per_dim(self.stride, "stride")[i]) or 1
            padding = call.number(self.per_dim(self.padding, "padding")[i]) or 0
            lo, hi = Fraction(padding - span + 1, stride), Fraction(padding, stride)
            windows.append((lo, hi, Fraction(1, stride)))
        return spatial_windows(self, call, windows, mixes_channels=True)

    def size(self, ctx: Context, i: int, size: Dim) -> Dim:
        """The output size along spatial dimension `i`."""
        stride = self.per_dim(self.stride, "stride")[i]
        dilation = self.per_dim(self.dilation, "dilation")[i]
        extra = self.per_dim(self.output_padding, "output_padding")[i]
        if not any(
            ctx.domain.at_least(ctx.value(x - extra), 1) for x in (stride, dilation)
        ):
            message = "output_padding must be smaller than the stride or the dilation"
            raise errors.constraint(message, argument="output_padding")
        kernel = self.per_dim(self.kernel_size, "kernel_size")[i]
        cut = 2 * self.per_dim(self.padding, "padding")[i]
        result = (size - 1) * stride + dilated_size(kernel, dilation) + extra - cut
        ctx.require_least("the output's size", result, 1, "input")
        return result

    def weight(self, input: TensorType) -> Shape:
        kernel = self.per_dim(self.kernel_size, "kernel_size")
        return (self.channels(input), self.out_channels // self.groups, *kernel)

    def positions(self, input: TensorType, output: TensorType) -> Dim:
        return input.with_size(-self.spatial - 1, 1).numel


@register("conv_transpose1d", torch="torch.nn.ConvTranspose1d")
class ConvTranspose1d(_ConvTranspose):
    """1D transposed convolution.

    float[N, in_channels, L] -> float[N, out_channels, L']; N is optional.
    """

    module = "nn.ConvTranspose1d"
    spatial = 1


@register("conv_transpose2d", torch="torch.nn.ConvTranspose2d")
class ConvTranspose2d(_ConvTranspose):
    """2D transposed convolution.

    float[N, in_channels, H, W] -> float[N, out_channels, H', W']; N is optional.
    """

    module = "nn.ConvTranspose2d"
    spatial = 2


@register("conv_transpose3d", torch="torch.nn.ConvTranspose3d")
class ConvTranspose3d(_ConvTranspose):
    """3D transposed convolution.

    float[N, in_channels, D, H, W] -> float[N, out_channels, D', H', W']; N is optional.
    """

    module = "nn.ConvTranspose3d"
    spatial = 3
