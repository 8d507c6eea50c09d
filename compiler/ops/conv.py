"""Convolutions and transposed convolutions."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Final, Literal

from compiler.codegen.python import Expr, call
from compiler.op import errors
from compiler.op.arg_types import Counts
from compiler.op.combine_flows import all_of, plus
from compiler.op.context import Context
from compiler.op.flow import Flow, FlowCall, flow_rule
from compiler.op.flow_rules import Window, spatial_windows
from compiler.op.op import Code, Colour, Shape
from compiler.op.registry import register
from compiler.ops._conv_base import ZERO, Convolution
from compiler.ops._spatial import dilated_size, require_padding_fits
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType

COLOUR: Final[Colour] = "teal"


class _Conv(Convolution):
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
        return self.windows_along(ctx, size, stride, span, padding)

    def total_padding(self) -> Shape:
        """The padding along each dimension, both sides together."""
        if self.padding == "same":
            return tuple(span - 1 for span in self.dilated_kernel())
        if isinstance(self.padding, str):
            return (ZERO,) * self.spatial
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


class _ConvTranspose(Convolution):
    """Base class of the transposed convolutions."""

    padding: Counts = (ZERO,)
    output_padding: Counts = (ZERO,)

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
        more = stride - extra, dilation - extra
        larger = [one for one in more if ctx.domain.at_least(ctx.value(one), 1)]
        if not larger:
            message = "output_padding must be smaller than the stride or the dilation"
            raise errors.constraint(message, argument="output_padding")
        if len(larger) == 1:
            ctx.at_least(larger[0], 1)
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
