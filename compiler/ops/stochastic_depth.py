"""Stochastic depth."""

from __future__ import annotations

from typing import Literal

from compiler.op.arg_types import Probability
from compiler.op.context import Context
from compiler.op.flow_rules import unchanged
from compiler.op.op import Op
from compiler.op.registry import register
from compiler.symbolic.tensor import TensorType


@register("stochastic_depth", torch="")
class StochasticDepth(Op):
    """Drops residual branches in training, scaling the rest by 1 / (1 - p).

    float[B, ...] -> float[B, ...]; p is the probability of dropping. Mode "row" samples
    for each example, "batch" once for the batch. Source: Huang et al., "Deep Networks
    with Stochastic Depth", 2016; torchvision.ops.StochasticDepth, timm's DropPath.
    """

    p: Probability
    mode: Literal["row", "batch"] = "row"

    family = "dropout"
    module = "StochasticDepth"
    library = "stochastic_depth"
    positional = ("p",)
    refused_by_module = ("p",)
    flow = unchanged

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        ctx.require_least_rank("input", input, 1)
        return input

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        return f"p {self.p:g}"
