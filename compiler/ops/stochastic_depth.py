"""Stochastic depth: dropout of whole residual branches."""

from __future__ import annotations

from typing import Literal

from compiler.op.arg_types import Probability
from compiler.op.context import Context
from compiler.op.op import Op
from compiler.op.registry import register
from compiler.symbolic.tensor import TensorType


@register("stochastic_depth", torch="")
class StochasticDepth(Op):
    """Zeroes a branch with probability p in training, else scales it by 1 / (1 - p).

    float[B, ...] -> float[B, ...]. Mode "row" draws for each sample, "batch" for all of
    them at once. Source: Huang et al., "Deep Networks with Stochastic Depth", 2016;
    torchvision.ops.StochasticDepth, timm's DropPath.
    """

    p: Probability
    mode: Literal["row", "batch"] = "row"

    family = "dropout"
    module = "StochasticDepth"
    library = "stochastic_depth"
    positional = ("p",)

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        ctx.require_least_rank("input", input, 1)
        return input

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        return f"p {self.p:g}"
