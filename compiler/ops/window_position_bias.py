"""Relative position bias for attention within windows."""

from __future__ import annotations

from typing import ClassVar

from compiler.codegen.python import Expr, call
from compiler.op.arg_types import Size
from compiler.op.context import Context
from compiler.op.flow_rules import source
from compiler.op.op import Code, Op, Port, Shape
from compiler.op.registry import register
from compiler.symbolic.tensor import TensorType


@register("window_position_bias", torch="")
class WindowPositionBias(Op):
    """Swin's learned bias per head and relative position: -> float[num_heads, N, N].

    N is height * width, the positions of a window in row-major order. Use the output as
    the `bias` of attention. It is initialised to zeros, or by the layer's `init`.
    Source: Liu et al., "Swin Transformer", 2021; the bias table has the layout of
    torchvision's and transformers' Swin.
    """

    num_heads: Size
    height: Size
    width: Size

    module = "WindowPositionBias"
    library = "window_position_bias"
    family = "embedding"
    positional = ("num_heads", "height", "width")
    chains = False
    inputs: ClassVar[tuple[Port, ...]] = ()
    flow = source

    def infer(self, ctx: Context) -> TensorType:
        positions = self.height * self.width
        return TensorType("float", (self.num_heads, positions, positions))

    def weights(self) -> dict[str, Shape]:
        ways = (2 * self.height - 1) * (2 * self.width - 1)
        return {"weight": (ways, self.num_heads)}

    def label(self, ctx: Context, outputs: tuple[TensorType, ...]) -> str:
        height, width = ctx.value(self.height), ctx.value(self.width)
        return (
            f"{ctx.value(self.num_heads)} heads, {height}\N{MULTIPLICATION SIGN}{width}"
        )

    def apply(self, code: Code) -> Expr:
        return call(code.module())
