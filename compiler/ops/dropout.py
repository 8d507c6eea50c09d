"""Dropout: noise of training that leaves shapes alone."""

from __future__ import annotations

from typing import ClassVar

from compiler.op.arg_types import Probability
from compiler.op.context import Context
from compiler.op.op import Op
from compiler.op.registry import register
from compiler.symbolic.tensor import TensorType


class _Dropout(Op):
    """What all kinds share. They act in training only."""

    p: Probability = 0.5

    positional = ("p",)

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        return input

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        return f"p {self.p:g}"


class _ChannelDropout(_Dropout):
    """What the kinds share that drop whole channels.

    A rank that torch only warns of is refused.
    """

    ranks: ClassVar[tuple[int, ...]]

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        ctx.require_rank("input", input, *self.ranks)
        return input


@register("dropout", torch="torch.nn.Dropout")
class Dropout(_Dropout):
    """Zeroes elements with probability p and scales the others by 1 / (1 - p).

    float[...] -> float[...].
    """

    module = "nn.Dropout"


@register("dropout1d", torch="torch.nn.Dropout1d")
class Dropout1d(_ChannelDropout):
    """Zeroes whole channels of a signal with probability p.

    float[N, C, L] -> float[N, C, L], or without N.
    """

    module = "nn.Dropout1d"
    ranks = (2, 3)


@register("dropout2d", torch="torch.nn.Dropout2d")
class Dropout2d(_ChannelDropout):
    """Zeroes whole channels of an image with probability p.

    float[N, C, H, W] -> float[N, C, H, W].
    """

    module = "nn.Dropout2d"
    # Of three dimensions torch takes the first for the batch, and warns.
    ranks = (4,)


@register("dropout3d", torch="torch.nn.Dropout3d")
class Dropout3d(_ChannelDropout):
    """Zeroes whole channels of a volume with probability p.

    float[N, C, D, H, W] -> float[N, C, D, H, W], or without N.
    """

    module = "nn.Dropout3d"
    ranks = (4, 5)


@register("alpha_dropout", torch="torch.nn.AlphaDropout")
class AlphaDropout(_Dropout):
    """Dropout that keeps mean and variance, for SELU networks.

    float[...] -> float[...].
    """

    module = "nn.AlphaDropout"


@register("feature_alpha_dropout", torch="torch.nn.FeatureAlphaDropout")
class FeatureAlphaDropout(_Dropout):
    """Alpha dropout of whole channels: float[N, C, ...] -> float[N, C, ...]."""

    module = "nn.FeatureAlphaDropout"

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        ctx.require_least_rank("input", input, 2)
        return input
