"""Normalisation over a batch, over features, over groups of channels or single ones."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from compiler.codegen.python import Call, ListExpr, call
from compiler.op.arg_types import Size
from compiler.op.context import Context
from compiler.op.op import Code, Op, Shape, product
from compiler.op.registry import register
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType


def _affine(shape: Shape, weight: bool, bias: bool) -> dict[str, Shape]:
    return {} if not weight else {"weight": shape} | ({"bias": shape} if bias else {})


class _ChannelNorm(Op):
    """What batch and instance normalisation share, which treat each channel alone."""

    eps: float = 1e-5
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
    """What the batch norms share.

    In training torch wants more than one value per channel, which a batch of 1 may not
    have: that is left to whoever trains.
    """

    ranks: ClassVar[tuple[int, ...]]
    fresh = True

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        self.require_dims(ctx, input)
        if not self.track_running_stats:
            count = input.with_size(1, 1).numel
            ctx.require_least("the number of values in a channel", count, 2, "input")
        return input

    def require_dims(self, ctx: Context, input: TensorType) -> None:
        """There must be one of the numbers of dimensions that torch's class takes."""
        ctx.require_rank("input", input, *self.ranks)


@register("batch_norm1d", torch="torch.nn.BatchNorm1d")
class BatchNorm1d(_BatchNorm):
    """Normalises each channel over the batch.

    float[N, C] or float[N, C, L] -> the same.
    """

    module = "nn.BatchNorm1d"
    ranks = (2, 3)


@register("batch_norm2d", torch="torch.nn.BatchNorm2d")
class BatchNorm2d(_BatchNorm):
    """Normalises each channel over the batch and the image.

    float[N, C, H, W] -> the same.
    """

    module = "nn.BatchNorm2d"
    ranks = (4,)


@register("batch_norm3d", torch="torch.nn.BatchNorm3d")
class BatchNorm3d(_BatchNorm):
    """Normalises each channel over the batch and the volume.

    float[N, C, D, H, W] -> the same.
    """

    module = "nn.BatchNorm3d"
    ranks = (5,)


@register("sync_batch_norm", torch="torch.nn.SyncBatchNorm")
class SyncBatchNorm(_BatchNorm):
    """Normalises each channel over the batches of all processes: float[N, C, ...] -> the same.

    It is a batch norm in evaluation, and where there is one process. Training of
    several exchanges means and variances, and needs GPUs: torch refuses CPUs then.
    """

    module = "nn.SyncBatchNorm"

    def require_dims(self, ctx: Context, input: TensorType) -> None:
        ctx.require_least_rank("input", input, 2)


class _InstanceNorm(_ChannelNorm):
    """What the instance norms share."""

    momentum: float = 0.1
    affine: bool = False
    track_running_stats: bool = False

    spatial: ClassVar[int]

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        ctx.require_rank("input", input, self.spatial + 1, self.spatial + 2)
        count = product(input.shape[-self.spatial :])
        ctx.require_least("the number of values in a channel", count, 2, "input")
        return input

    def channels(self, input: TensorType) -> Dim:
        return input.shape[-self.spatial - 1]


@register("instance_norm1d", torch="torch.nn.InstanceNorm1d")
class InstanceNorm1d(_InstanceNorm):
    """Normalises each channel of each signal.

    float[N, C, L] -> the same, or without N.
    """

    module = "nn.InstanceNorm1d"
    spatial = 1


@register("instance_norm2d", torch="torch.nn.InstanceNorm2d")
class InstanceNorm2d(_InstanceNorm):
    """Normalises each channel of each image.

    float[N, C, H, W] -> the same, or without N.
    """

    module = "nn.InstanceNorm2d"
    spatial = 2


@register("instance_norm3d", torch="torch.nn.InstanceNorm3d")
class InstanceNorm3d(_InstanceNorm):
    """Normalises each channel of each volume.

    float[N, C, D, H, W] -> the same, or without N.
    """

    module = "nn.InstanceNorm3d"
    spatial = 3


class _TrailingNorm(Op):
    """What layer and RMS norm share: they normalise over the last dimensions."""

    normalized_dims: Annotated[int, Field(ge=1)] = 1
    """How many dimensions, from the last one on: the length of normalized_shape."""
    eps: float | None = None
    elementwise_affine: bool = True

    omitted = ("normalized_dims",)

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        ctx.require_least_rank("input", input, self.normalized_dims)
        return input

    def normalized_shape(self, input: TensorType) -> Shape:
        """The sizes of the dimensions that are normalised together."""
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
    """Mean 0 and variance 1 over the last dimensions, then scaled and shifted.

    float[..., D] -> the same.
    """

    eps: float = 1e-5
    bias: bool = True

    module = "nn.LayerNorm"
    fresh = True

    def weights(self, input: TensorType) -> dict[str, Shape]:
        shape = self.normalized_shape(input)
        return _affine(shape, self.elementwise_affine, self.bias)


@register("rms_norm", torch="torch.nn.RMSNorm")
class RMSNorm(_TrailingNorm):
    """Divides by the root mean square over the last dimensions, then scales.

    float[..., D] -> the same.
    """

    module = "nn.RMSNorm"

    def weights(self, input: TensorType) -> dict[str, Shape]:
        return _affine(self.normalized_shape(input), self.elementwise_affine, False)


@register("group_norm", torch="torch.nn.GroupNorm")
class GroupNorm(Op):
    """Normalises groups of channels of each sample: float[N, C, ...] -> the same."""

    num_groups: Size
    eps: float = 1e-5
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

    def weights(self, input: TensorType) -> dict[str, Shape]:
        return _affine((input.shape[1],), self.affine, self.bias)

    def build(self, code: Code, input: TensorType) -> Call:
        groups, channels = code.argument("num_groups"), code.size(input.shape[1])
        return call(self.module, groups, channels, **self.keywords(code))

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        return f"{ctx.value(self.num_groups)} groups"
