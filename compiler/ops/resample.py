"""Interpolation, pixel shuffle and channel shuffle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Final, Literal

from compiler.op import errors
from compiler.op.arg_types import Factors, Shape, Size
from compiler.op.combine_flows import read, windowed, without
from compiler.op.context import Context
from compiler.op.dependence import SIZE, Dependence
from compiler.op.flow import FlowCall, flow_rule
from compiler.op.flow_rules import along_channels, sized
from compiler.op.op import ANY, Colour, Op, Port
from compiler.op.registry import register
from compiler.ops._spatial import per_dim, scale_size, sizes_text
from compiler.symbolic.tensor import TensorType

COLOUR: Final[Colour] = "slate"

_RANKS: Final = {"linear": (3,), "bilinear": (4,), "bicubic": (4,), "trilinear": (5,)}
_ANY_RANK: Final = (3, 4, 5)


class Resample(Op):
    """Base class of ops that resample to `size` or by `scale_factor`."""

    size: Shape | None = None
    scale_factor: Factors | None = None
    mode: Literal[
        "nearest", "nearest-exact", "area", "linear", "bilinear", "bicubic", "trilinear"
    ] = "nearest"
    align_corners: bool | None = None
    recompute_scale_factor: bool | None = None

    function = "F.interpolate"

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        ctx.require_rank("input", input, *_RANKS.get(self.mode, _ANY_RANK))
        self.require_settings()
        extents = input.shape[2:]
        for size in extents:
            ctx.require_least("a spatial size", size, 1, "input")
        sizes = self.sizes(ctx, extents)
        for size in sizes:
            ctx.require_least("the output's size", size, 1, "input")
        return input.with_shape(*input.shape[:2], *sizes)

    @flow_rule("rate up", reads_sizes=True)
    def flow(self, call: FlowCall) -> Dependence:
        """Nearest by a whole factor n: 1 / n of the rate. Other modes look ahead; by `size`, places follow from it."""
        return resampled(call, self.mode, self.size, self.scale_factor)

    def require_settings(self) -> None:
        """Check for arguments that exclude each other."""
        if (self.size is None) == (self.scale_factor is None):
            raise errors.constraint(f"{self.name} needs either size or scale_factor")
        if self.align_corners is not None and self.mode not in _RANKS:
            message = f"align_corners is not supported in {self.mode} mode"
            raise errors.constraint(message, argument="align_corners")
        if self.recompute_scale_factor and self.size is not None:
            message = "recompute_scale_factor requires scale_factor, not size"
            raise errors.constraint(message, argument="recompute_scale_factor")

    def sizes(self, ctx: Context, extents: Shape) -> Shape:
        """The spatial sizes of the output."""
        if self.size is not None:
            return per_dim(self.size, len(extents), "size")
        pairs = zip(extents, self.factors(len(extents)), strict=True)
        return tuple(
            scale_size(ctx, size, factor, "scale_factor") for size, factor in pairs
        )

    def factors(self, count: int) -> list[float]:
        """The scale factor of each spatial dimension."""
        assert self.scale_factor is not None
        return list(per_dim(self.scale_factor, count, "scale_factor"))

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        if self.size is not None:
            return f"to {sizes_text(ctx, self.size)}, {self.mode}"
        factors = self.factors(input.rank - 2)
        distinct = factors[:1] if len(set(factors)) == 1 else factors
        return f"×{', '.join(f'{factor:g}' for factor in distinct)}, {self.mode}"


@register("interpolate", torch="torch.nn.functional.interpolate")
class Interpolate(Resample):
    """Resamples to `size` or by `scale_factor`: float[N, C, ...] -> float[N, C, ...].

    Both are one number for all spatial dimensions, or a list. With
    `recompute_scale_factor`, sampling uses the ratio of the rounded sizes rather than
    the given factor.
    """

    antialias: bool = False

    def require_settings(self) -> None:
        super().require_settings()
        if self.antialias and self.mode not in ("bilinear", "bicubic"):
            message = "antialias requires mode bilinear or bicubic"
            raise errors.constraint(message, argument="antialias")


class _PixelOp(Op):
    """Base class of the ops that exchange channels for pixels."""

    inputs = (Port("input", ANY),)

    @flow_rule("rate up")
    def flow(self, call: FlowCall) -> Dependence:
        """Channels and pixels are mixed: over T, all of it."""
        rank = call.type("input").rank
        reason = f"{self.name} mixes T with channels"
        return sized(self, call, range(rank - 3, rank), reason)


@register("pixel_shuffle", torch="torch.nn.PixelShuffle")
class PixelShuffle(_PixelOp):
    """Rearranges channels into pixels: [..., C * r², H, W] -> [..., C, H * r, W * r].

    Source: Shi et al., "Real-Time Single Image and Video Super-Resolution Using an
    Efficient Sub-Pixel Convolutional Neural Network", 2016.
    """

    upscale_factor: Size

    module = "nn.PixelShuffle"
    function = "F.pixel_shuffle"
    positional = ("upscale_factor",)

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        ctx.require_least_rank("input", input, 3)
        *batch, channels, height, width = input.shape
        r = self.upscale_factor
        what, by = "the number of channels", "upscale_factor squared"
        ctx.require_multiple(what, channels, by, r * r, "upscale_factor")
        return input.with_shape(*batch, channels // (r * r), height * r, width * r)

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        return f"×{ctx.value(self.upscale_factor)}"


@register("pixel_unshuffle", torch="torch.nn.PixelUnshuffle")
class PixelUnshuffle(_PixelOp):
    """Reverse of pixel_shuffle: [..., C, H * r, W * r] -> [..., C * r², H, W]."""

    downscale_factor: Size

    module = "nn.PixelUnshuffle"
    function = "F.pixel_unshuffle"
    positional = ("downscale_factor",)

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        ctx.require_least_rank("input", input, 3)
        *batch, channels, height, width = input.shape
        r = self.downscale_factor
        for what, size in (("the height", height), ("the width", width)):
            ctx.require_multiple(what, size, "downscale_factor", r, "downscale_factor")
        return input.with_shape(*batch, channels * r * r, height // r, width // r)

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        return f"÷{ctx.value(self.downscale_factor)}"


@register("channel_shuffle", torch="torch.nn.ChannelShuffle")
class ChannelShuffle(Op):
    """Interleaves groups of channels: [N, C, ...] -> [N, C, ...].

    Source: Zhang et al., "ShuffleNet", 2018.
    """

    groups: Size

    module = "nn.ChannelShuffle"
    function = "F.channel_shuffle"
    positional = ("groups",)
    inputs = (Port("input", ANY),)
    flow = along_channels

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        ctx.require_least_rank("input", input, 3)
        what, channels = "the number of channels", input.shape[1]
        ctx.require_multiple(what, channels, "groups", self.groups, "groups")
        return input

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        return f"{ctx.value(self.groups)} groups"


def resampled(
    call: FlowCall, mode: str, size: Shape | None, factors: Sequence[float] | None
) -> Dependence:
    """The input with its spatial axes resampled."""
    flow, kind = call.operand("input")
    count = kind.rank - 2
    each: Sequence[float] = (
        (0.0,) * count if factors is None else per_dim(tuple(factors), count, "")
    )
    for axis, factor in enumerate(each, 2):
        times = int(factor) if float(factor).is_integer() else 0
        if flow.axes[axis] is None and size is None:
            continue
        if times == 1 or (times and mode in ("nearest", "nearest-exact")):
            step = Fraction(1, times)
            flow = windowed(flow, axis, Fraction(1 - times, times), 0, step)
            continue
        reason = f"{mode} resampling reads ahead, or follows from the size of T"
        flow = without(flow, {axis}, reason)
        new = call.axis_of(call.outputs[0].shape[axis])
        flow = read(flow, axis, new)
        flow = flow if new is None else flow.also({SIZE}, reason)
    return replace(flow, known=None)
