"""The upsampling layers of torch.nn; the function `interpolate` is in `resample`."""

from __future__ import annotations

from typing import Any

from compiler.codegen.python import Expr, call, lit
from compiler.op import errors
from compiler.op.arg_types import Factors, Shape
from compiler.op.context import Context
from compiler.op.dependence import Dependence
from compiler.op.flow import FlowCall, flow_rule
from compiler.op.op import Code, Op
from compiler.op.registry import register
from compiler.ops.resample import Resample, resampled
from compiler.symbolic.tensor import TensorType


@register("upsample", torch="torch.nn.Upsample")
class Upsample(Resample):
    """Resamples to `size` or by `scale_factor`: float[N, C, ...] -> float[N, C, ...].

    Both are one number for all spatial dimensions, or a list. It is `interpolate`
    without `antialias`.
    """

    family = "resample"


class _Upsampling2d(Op):
    """Base class of the 2D upsampling layers with a fixed mode."""

    size: Shape | None = None
    scale_factor: Factors | None = None

    family = "resample"
    function = "F.interpolate"

    def settings(self) -> dict[str, Any]:
        """The arguments of `interpolate` that are fixed."""
        raise TypeError(f"{type(self).__name__} has no mode")

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        given = {"size": self.size, "scale_factor": self.scale_factor}
        if (self.size is None) == (self.scale_factor is None):
            raise errors.constraint(f"{self.name} needs either size or scale_factor")
        return Resample({**given, **self.settings()}).infer(ctx, input)

    @flow_rule("rate up", reads_sizes=True)
    def flow(self, call: FlowCall) -> Dependence:
        """As upsample."""
        mode = self.settings()["mode"]
        return resampled(call, mode, self.size, self.scale_factor)

    def apply(self, code: Code, input: Expr) -> Expr:
        mode = {key: lit(value) for key, value in self.settings().items()}
        return call(self.function, input, **self.keywords(code), **mode)

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        given = {"size": self.size, "scale_factor": self.scale_factor}
        return Resample({**given, **self.settings()}).label(ctx, outputs, input)


@register("upsampling_nearest2d", torch="torch.nn.UpsamplingNearest2d")
class UpsamplingNearest2d(_Upsampling2d):
    """Nearest-neighbour upsampling: float[N, C, H, W] -> float[N, C, H', W'].

    Set `size` or `scale_factor`, one number for both dimensions or a list.
    """

    def settings(self) -> dict[str, Any]:
        return {"mode": "nearest"}


@register("upsampling_bilinear2d", torch="torch.nn.UpsamplingBilinear2d")
class UpsamplingBilinear2d(_Upsampling2d):
    """Bilinear upsampling: float[N, C, H, W] -> float[N, C, H', W'].

    Set `size` or `scale_factor`, one number for both dimensions or a list. Corner
    pixels are aligned (`align_corners` of `interpolate`).
    """

    def settings(self) -> dict[str, Any]:
        return {"mode": "bilinear", "align_corners": True}
