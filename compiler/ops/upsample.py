"""Upsampling, as the classes of torch.nn have it; `resample` has `interpolate`."""

from __future__ import annotations

from typing import Any

from compiler.codegen.python import Expr, call, lit
from compiler.op import errors
from compiler.op.arg_types import Shape
from compiler.op.context import Context
from compiler.op.op import Code, Op
from compiler.op.registry import register
from compiler.ops.resample import Resample
from compiler.symbolic.tensor import TensorType


@register("upsample", torch="torch.nn.Upsample")
class Upsample(Resample):
    """Resamples to `size` or by `scale_factor`, one for all dimensions or a list.

    float[N, C, ...] -> float[N, C, ...]. As `interpolate`, without its `antialias`.
    """

    family = "resample"


class _Upsampling2d(Op):
    """What the upsamplings of images share, whose mode is fixed."""

    size: Shape | None = None
    scale_factor: int | float | list[int | float] | None = None

    family = "resample"
    function = "F.interpolate"

    def settings(self) -> dict[str, Any]:
        """What they ask of `interpolate`."""
        raise TypeError(f"{type(self).__name__} has no mode")

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        given = {"size": self.size, "scale_factor": self.scale_factor}
        if (self.size is None) == (self.scale_factor is None):
            raise errors.constraint(f"{self.name} needs either size or scale_factor")
        return Resample({**given, **self.settings()}).infer(ctx, input)

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
    """Repeats pixels: float[N, C, H, W] -> float[N, C, H', W'].

    To `size` or by `scale_factor`, one for both dimensions or a list.
    """

    def settings(self) -> dict[str, Any]:
        return {"mode": "nearest"}


@register("upsampling_bilinear2d", torch="torch.nn.UpsamplingBilinear2d")
class UpsamplingBilinear2d(_Upsampling2d):
    """Interpolates between pixels: float[N, C, H, W] -> float[N, C, H', W'].

    To `size` or by `scale_factor`, one for both dimensions or a list. The corners stay
    where they are (`align_corners` of `interpolate`).
    """

    def settings(self) -> dict[str, Any]:
        return {"mode": "bilinear", "align_corners": True}
