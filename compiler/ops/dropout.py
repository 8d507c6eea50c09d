"""Dropout."""

from __future__ import annotations

from typing import ClassVar

from compiler.op.arg_types import Probability
from compiler.op.context import Context
from compiler.op.flow_rules import unchanged
from compiler.op.op import Op
from compiler.op.registry import register
from compiler.symbolic.tensor import TensorType


class _Dropout(Op):
    """Base class of the dropouts, which act in training only."""

    p: Probability = 0.5

    positional = ("p",)
    refused_by_module = ("p",)
    flow = unchanged

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        return input

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        return f"p {self.p:g}"


class _ChannelDropout(_Dropout):
    """Base class of the dropouts of whole channels.

    Ranks that torch accepts with a warning are errors.
    """

    ranks: ClassVar[tuple[int, ...]]

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        ctx.require_rank("input", input, *self.ranks)
        return input


@register("dropout", torch="torch.nn.Dropout")
class Dropout(_Dropout):
    """Zeroes each element with probability p in training, and scales the rest by 1 / (1 - p).

    float[...] -> float[...].
    """

    module = "nn.Dropout"


@register("dropout1d", torch="torch.nn.Dropout1d")
class Dropout1d(_ChannelDropout):
    """Zeroes whole channels with probability p in training: float[N, C, L] -> float[N, C, L].

    N is optional.
    """

    module = "nn.Dropout1d"
    ranks = (2, 3)


@register("dropout2d", torch="torch.nn.Dropout2d")
class Dropout2d(_ChannelDropout):
    """Zeroes whole channels with probability p in training: float[N, C, H, W] -> float[N, C, H, W]."""

    module = "nn.Dropout2d"
    # torch takes the first of three dimensions as the batch, and warns.
    ranks = (4,)


@register("dropout3d", torch="torch.nn.Dropout3d")
class Dropout3d(_ChannelDropout):
    """Zeroes whole channels with probability p in training.

    float[N, C, D, H, W] -> float[N, C, D, H, W]; N is optional.
    """

    module = "nn.Dropout3d"
    ranks = (4, 5)


@register("alpha_dropout", torch="torch.nn.AlphaDropout")
class AlphaDropout(_Dropout):
    """Dropout that keeps mean and variance, for networks of SELUs: float[...] -> float[...].

    Source: Klambauer et al., "Self-Normalizing Neural Networks", 2017.
    """

    module = "nn.AlphaDropout"


@register("feature_alpha_dropout", torch="torch.nn.FeatureAlphaDropout")
class FeatureAlphaDropout(_Dropout):
    """Alpha dropout of whole channels: float[N, C, ...] -> float[N, C, ...]."""

    module = "nn.FeatureAlphaDropout"

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        ctx.require_least_rank("input", input, 2)
        return input
