"""Normalisation over the batch, over features, and over channels or groups of them."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final

from pydantic import Field

from compiler.codegen.python import Call, ListExpr, call
from compiler.op.arg_types import NonNegative, Positive, Size
from compiler.op.context import Context
from compiler.op.dependence import Dependence
from compiler.op.flow import FlowCall, flow_rule
from compiler.op.flow_rules import mixing
from compiler.op.op import Code, Colour, Op, Shape, product
from compiler.op.registry import register
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType

COLOUR: Final[Colour] = "amber"


def _affine(shape: Shape, weight: bool, bias: bool) -> dict[str, Shape]:
    return {} if not weight else {"weight": shape} | ({"bias": shape} if bias else {})


class _ChannelNorm(Op):
    """Base class of batch and instance norm, which normalise each channel."""

    eps: NonNegative = 1e-5
    momentum: float | None = 0.1
    affine: bool = True
    track_running_stats: bool = True
    bias: bool = True

    def channels(self, input: TensorType) -> Dim:
        """The number of channels."""
        return input.shape[1]

    def inferred(self, input: TensorType) -> dict[str, Dim]:
        return {"num_features": self.channels(input)}

    def weights(self, input: TensorType) -> dict[str, Shape]:
        return _affine((self.channels(input),), self.affine, self.bias)

    def buffers(self, input: TensorType) -> dict[str, Shape]:
        if not self.track_running_stats:
            return {}
        channels = (self.channels(input),)
        return {
            "running_mean": channels,
            "running_var": channels,
            "num_batches_tracked": (),
        }


class _BatchNorm(_ChannelNorm):
    """Base class of the batch norms.

    In training, torch needs more than one value per channel; this is not checked, as it
    depends on the batch size.
    """

    eps: Positive = 1e-5

    ranks: ClassVar[tuple[int, ...]]
    fresh = True

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        self.require_dims(ctx, input)
        if not self.track_running_stats:
            count = input.with_size(1, 1).numel
            ctx.require_least("the number of values in a channel", count, 2, "input")
        return input

    @flow_rule("norms with statistics")
    def flow(self, call: FlowCall) -> Dependence:
        """In evaluation, the statistics are constants; without running ones, those of batch and T are taken."""
        axes = () if self.track_running_stats else _other_axes(call, 1)
        reason = "batch statistics are taken over T"
        return mixing(call, [call.operand("input")], axes, reason)

    def require_dims(self, ctx: Context, input: TensorType) -> None:
        """Check that the rank is one that torch's class accepts."""
        ctx.require_rank("input", input, *self.ranks)


@register("batch_norm1d", torch="torch.nn.BatchNorm1d")
class BatchNorm1d(_BatchNorm):
    """Batch norm of 1D inputs: float[N, C] or float[N, C, L] -> same type.

    Normalises each channel over batch and length. Source: Ioffe and Szegedy, "Batch
    Normalization", 2015.
    """

    module = "nn.BatchNorm1d"
    ranks = (2, 3)


@register("batch_norm2d", torch="torch.nn.BatchNorm2d")
class BatchNorm2d(_BatchNorm):
    """Batch norm of images: float[N, C, H, W] -> float[N, C, H, W].

    Normalises each channel over batch, height and width. Source: Ioffe and Szegedy,
    "Batch Normalization", 2015.
    """

    module = "nn.BatchNorm2d"
    ranks = (4,)


@register("batch_norm3d", torch="torch.nn.BatchNorm3d")
class BatchNorm3d(_BatchNorm):
    """Batch norm of volumes: float[N, C, D, H, W] -> float[N, C, D, H, W].

    Normalises each channel over batch, depth, height and width. Source: Ioffe and
    Szegedy, "Batch Normalization", 2015.
    """

    module = "nn.BatchNorm3d"
    ranks = (5,)


@register("sync_batch_norm", torch="torch.nn.SyncBatchNorm")
class SyncBatchNorm(_BatchNorm):
    """Batch norm over the batches of all processes: float[N, C, ...] -> float[N, C, ...].

    In evaluation, or with one process, it is a plain batch norm. Training with several
    processes exchanges statistics and requires GPUs, as in torch.
    """

    module = "nn.SyncBatchNorm"

    def require_dims(self, ctx: Context, input: TensorType) -> None:
        ctx.require_least_rank("input", input, 2)


class _InstanceNorm(_ChannelNorm):
    """Base class of the instance norms."""

    momentum: float = 0.1
    affine: bool = False
    track_running_stats: bool = False

    spatial: ClassVar[int]

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        ctx.require_rank("input", input, self.spatial + 1, self.spatial + 2)
        count = product(input.shape[-self.spatial :])
        ctx.require_least("the number of values in a channel", count, 2, "input")
        return input

    @flow_rule("norms with statistics")
    def flow(self, call: FlowCall) -> Dependence:
        """In evaluation with running statistics, element by element; else they are taken over the spatial axes."""
        axes = () if self.track_running_stats else range(-self.spatial, 0)
        reason = f"the statistics of {self.name} are taken over T"
        return mixing(call, [call.operand("input")], axes, reason)

    def channels(self, input: TensorType) -> Dim:
        return input.shape[-self.spatial - 1]


@register("instance_norm1d", torch="torch.nn.InstanceNorm1d")
class InstanceNorm1d(_InstanceNorm):
    """1D instance norm: float[N, C, L] -> float[N, C, L]; N is optional.

    Normalises each channel of each sample. Source: Ulyanov et al., "Instance
    Normalization", 2016.
    """

    module = "nn.InstanceNorm1d"
    spatial = 1


@register("instance_norm2d", torch="torch.nn.InstanceNorm2d")
class InstanceNorm2d(_InstanceNorm):
    """2D instance norm: float[N, C, H, W] -> float[N, C, H, W]; N is optional.

    Normalises each channel of each sample. Source: Ulyanov et al., "Instance
    Normalization", 2016.
    """

    module = "nn.InstanceNorm2d"
    spatial = 2


@register("instance_norm3d", torch="torch.nn.InstanceNorm3d")
class InstanceNorm3d(_InstanceNorm):
    """3D instance norm: float[N, C, D, H, W] -> float[N, C, D, H, W]; N is optional.

    Normalises each channel of each sample. Source: Ulyanov et al., "Instance
    Normalization", 2016.
    """

    module = "nn.InstanceNorm3d"
    spatial = 3


class _TrailingNorm(Op):
    """Base class of layer and RMS norm, which normalise over the last dimensions."""

    normalized_dims: Annotated[int, Field(ge=1)] = 1
    """The number of trailing dimensions: the length of torch's normalized_shape."""
    eps: NonNegative | None = None
    elementwise_affine: bool = True

    omitted = ("normalized_dims",)

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        ctx.require_least_rank("input", input, self.normalized_dims)
        return input

    @flow_rule("other axes")
    def flow(self, call: FlowCall) -> Dependence:
        """An element reads the last `normalized_dims` axes."""
        axes = range(-self.normalized_dims, 0)
        reason = f"{self.name} normalises over T"
        return mixing(call, [call.operand("input")], axes, reason)

    def normalized_shape(self, input: TensorType) -> Shape:
        """The sizes of the normalised dimensions."""
        return input.shape[-self.normalized_dims :]

    def inferred(self, input: TensorType) -> dict[str, Dim]:
        sizes = self.normalized_shape(input)
        if len(sizes) == 1:
            return {"normalized_shape": sizes[0]}
        return {f"normalized_shape[{k}]": size for k, size in enumerate(sizes)}

    def build(self, code: Code, input: TensorType) -> Call:
        sizes = [code.size(size) for size in self.normalized_shape(input)]
        shape = sizes[0] if len(sizes) == 1 else ListExpr(tuple(sizes))
        return call(self.module, shape, **self.keywords(code))


@register("layer_norm", torch="torch.nn.LayerNorm")
class LayerNorm(_TrailingNorm):
    """Layer norm over the last `normalized_dims` dimensions: float[..., D] -> float[..., D].

    Normalises to mean 0 and variance 1, then applies a learned scale and shift. Source:
    Ba et al., "Layer Normalization", 2016.
    """

    eps: NonNegative = 1e-5
    bias: bool = True

    module = "nn.LayerNorm"
    fresh = True

    def weights(self, input: TensorType) -> dict[str, Shape]:
        shape = self.normalized_shape(input)
        return _affine(shape, self.elementwise_affine, self.bias)


@register("rms_norm", torch="torch.nn.RMSNorm")
class RMSNorm(_TrailingNorm):
    """Root mean square norm over the last `normalized_dims` dimensions: float[..., D] -> float[..., D].

    Divides by the root mean square, then applies a learned scale. Source: Zhang and
    Sennrich, "Root Mean Square Layer Normalization", 2019.
    """

    module = "nn.RMSNorm"

    def weights(self, input: TensorType) -> dict[str, Shape]:
        return _affine(self.normalized_shape(input), self.elementwise_affine, False)


@register("group_norm", torch="torch.nn.GroupNorm")
class GroupNorm(Op):
    """Group norm: float[N, C, ...] -> float[N, C, ...].

    Normalises each group of C / num_groups channels of each sample. Source: Wu and He,
    "Group Normalization", 2018.
    """

    num_groups: Size
    eps: NonNegative = 1e-5
    affine: bool = True
    bias: bool = True

    module = "nn.GroupNorm"
    fresh = True
    omitted = ("num_groups",)

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        ctx.require_least_rank("input", input, 2)
        what, channels = "the number of channels", input.shape[1]
        ctx.require_multiple(
            what, channels, "num_groups", self.num_groups, "num_groups"
        )
        count = input.with_size(1, channels // self.num_groups).numel
        ctx.require_least("the number of values in a group", count, 2, "input")
        return input

    @flow_rule("norms with statistics")
    def flow(self, call: FlowCall) -> Dependence:
        """The statistics are taken over channels and all spatial axes."""
        reason = "the statistics of group_norm are taken over T"
        return mixing(call, [call.operand("input")], _other_axes(call, 0), reason)

    def inferred(self, input: TensorType) -> dict[str, Dim]:
        return {"num_channels": input.shape[1]}

    def weights(self, input: TensorType) -> dict[str, Shape]:
        return _affine((input.shape[1],), self.affine, self.bias)

    def build(self, code: Code, input: TensorType) -> Call:
        groups, channels = code.argument("num_groups"), code.size(input.shape[1])
        return call(self.module, groups, channels, **self.keywords(code))

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        return f"{ctx.value(self.num_groups)} groups"


def _other_axes(call: FlowCall, axis: int) -> list[int]:
    """All axes of the input but one."""
    return [n for n in range(call.type("input").rank) if n != axis]
