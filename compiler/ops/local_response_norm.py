"""Local response normalisation across channels."""

from __future__ import annotations

from compiler.op.arg_types import Size
from compiler.op.context import Context
from compiler.op.flow_rules import along_channels
from compiler.op.op import Op
from compiler.op.registry import register
from compiler.symbolic.tensor import TensorType


@register("local_response_norm", torch="torch.nn.LocalResponseNorm")
class LocalResponseNorm(Op):
    """Divides each element by the energy of neighbouring channels.

    float[N, C, ...] -> float[N, C, ...]. Source: Krizhevsky et al., "ImageNet
    Classification with Deep Convolutional Neural Networks", 2012, section 3.3.
    """

    size: Size
    alpha: float = 1e-4
    beta: float = 0.75
    k: float = 1.0

    family = "norm"
    module = "nn.LocalResponseNorm"
    function = "F.local_response_norm"
    flow = along_channels

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        ctx.require_least_rank("input", input, 3)
        return input

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        return f"size {ctx.value(self.size)}"


@register("cross_map_lrn2d", torch="torch.nn.CrossMapLRN2d")
class CrossMapLRN2d(Op):
    """Local response normalisation of images as in Torch 7.

    float[N, C, H, W] -> float[N, C, H, W]. It differs from local_response_norm where a
    window extends beyond the channels, for even sizes, and (as in torch's
    implementation) for later channels, whose windows all keep the first channel.
    """

    size: Size
    alpha: float = 1e-4
    beta: float = 0.75
    k: float = 1.0

    family = "norm"
    module = "CrossMapLRN2d"
    library = "cross_map_lrn2d"
    positional = ("size",)
    flow = along_channels

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        ctx.require_rank("input", input, 4)
        ctx.require_least("size", self.size, 2)  # torch's own has no gradient for 1
        return input

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        return f"size {ctx.value(self.size)}"
