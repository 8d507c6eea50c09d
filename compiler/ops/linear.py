"""Linear and bilinear layers."""

from __future__ import annotations

from typing import Final

from compiler.op.arg_types import Size
from compiler.op.context import Context
from compiler.op.flow_rules import along_last
from compiler.op.op import Colour, Op, Port, Shape
from compiler.op.registry import register
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType

COLOUR: Final[Colour] = "blue"


@register("linear", torch="torch.nn.Linear")
class Linear(Op):
    """y = x Wᵀ + b over the last dimension: float[..., in_features] -> float[..., out_features]."""

    out_features: Size
    bias: bool = True

    module = "nn.Linear"
    fresh = True
    positional = ("out_features",)
    flow = along_last

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        ctx.require_least_rank("input", input, 1)
        return input.with_size(-1, self.out_features)

    def inferred(self, input: TensorType) -> dict[str, Dim]:
        return {"in_features": input.shape[-1]}

    def weights(self, input: TensorType) -> dict[str, Shape]:
        weight = {"weight": (self.out_features, input.shape[-1])}
        return weight | ({"bias": (self.out_features,)} if self.bias else {})

    def flops(self, outputs: tuple[TensorType, ...], input: TensorType) -> Dim:
        return outputs[0].numel * input.shape[-1] * 2

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        return f"{ctx.value(input.shape[-1])} → {ctx.value(self.out_features)}"


@register("bilinear", torch="torch.nn.Bilinear")
class Bilinear(Op):
    """y = x₁ᵀ A x₂ + b: float[..., in1_features], float[..., in2_features] -> float[..., out_features]."""

    out_features: Size
    bias: bool = True

    module = "nn.Bilinear"
    positional = ("out_features",)
    chains = False
    inputs = (Port("input1"), Port("input2"))
    flow = along_last

    def infer(self, ctx: Context, input1: TensorType, input2: TensorType) -> TensorType:
        ctx.require_least_rank("input1", input1, 1)
        ctx.require_rank("input2", input2, input1.rank)
        for axis in range(input1.rank - 1):
            message = (
                "bilinear needs inputs of equal sizes in all dimensions except the last"
            )
            ctx.require_equal(message, input1.shape[axis], input2.shape[axis], "input2")
        return input1.with_size(-1, self.out_features)

    def inferred(self, input1: TensorType, input2: TensorType) -> dict[str, Dim]:
        return {"in1_features": input1.shape[-1], "in2_features": input2.shape[-1]}

    def weights(self, input1: TensorType, input2: TensorType) -> dict[str, Shape]:
        weight = {"weight": (self.out_features, input1.shape[-1], input2.shape[-1])}
        return weight | ({"bias": (self.out_features,)} if self.bias else {})
