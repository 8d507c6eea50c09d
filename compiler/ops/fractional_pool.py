"""Fractional max pooling: pseudorandom windows for a given output size."""

from __future__ import annotations

from typing import ClassVar

from compiler.codegen.python import Expr, TupleExpr, call, lit
from compiler.op import errors
from compiler.op.arg_types import Factors, Shape, Sizes
from compiler.op.context import Context
from compiler.op.flow_rules import sized_windows
from compiler.op.op import Code, Outputs
from compiler.op.registry import register
from compiler.ops._pool_base import PoolWithIndices
from compiler.ops._spatial import per_dim, scale_size, sizes_text
from compiler.symbolic.tensor import TensorType


class _FractionalMaxPool(PoolWithIndices):
    """Base class. The window positions are random, in evaluation too."""

    kernel_size: Sizes
    output_size: Shape | None = None
    output_ratio: Factors | None = None

    extra_elements: ClassVar[int] = 0
    """How many more elements torch's kernel requires than the windows need."""
    family = "pooling"
    positional = ("kernel_size",)
    omitted = ("output_size", "output_ratio", "return_indices")
    chains = False
    flow = sized_windows

    def infer(self, ctx: Context, input: TensorType) -> Outputs:
        extents = self.extents(ctx, input)
        if (self.output_size is None) == (self.output_ratio is None):
            message = f"{self.name} needs either output_size or output_ratio"
            raise errors.constraint(message)
        kernel = self.per_dim(self.kernel_size, "kernel_size")
        sizes = self.sizes(ctx, input)
        for size, wanted, window in zip(extents, sizes, kernel, strict=True):
            ctx.require_least("the output's size", wanted, 0, "input")
            ctx.constant(window, "kernel_size", "kernel_size")
            what = "the input size minus the output size"
            least = window - 1 + self.extra_elements
            ctx.require_least(what, size - wanted, least, "input")
        return self.with_indices(self.with_extents(input, sizes))

    def sizes(self, ctx: Context, input: TensorType) -> Shape:
        """The spatial sizes of the output."""
        if self.output_size is not None:
            return self.per_dim(self.output_size, "output_size")
        extents, ratios = input.shape[-self.spatial :], self.ratios()
        pairs = zip(extents, ratios, strict=True)
        return tuple(scale_size(ctx, *pair, "output_ratio") for pair in pairs)

    def ratios(self) -> list[float]:
        """The ratio of output size to input size for each spatial dimension."""
        assert self.output_ratio is not None
        ratios = per_dim(self.output_ratio, self.spatial, "output_ratio")
        if not all(0 < ratio < 1 for ratio in ratios):
            message = "output_ratio must be between 0 and 1"
            raise errors.constraint(message, argument="output_ratio")
        return list(ratios)

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        kernel = sizes_text(ctx, self.per_dim(self.kernel_size, "kernel_size"))
        return f"{kernel}, to {sizes_text(ctx, outputs[0].shape[-self.spatial :])}"

    def apply(self, code: Code, input: Expr) -> Expr:
        kernel, options = code.argument("kernel_size"), self.keywords(code)
        if self.output_size is not None:
            options["output_size"] = code.argument("output_size")
        else:
            ratio = code.argument("output_ratio")
            if self.output_ratio is not None and len(self.output_ratio) == 1:
                ratio = TupleExpr((ratio,) * self.spatial)
            options["output_ratio"] = ratio
        if self.return_indices:
            options["return_indices"] = lit(True)
        return call(self.function, input, kernel, **options)


@register("fractional_max_pool2d", torch="torch.nn.FractionalMaxPool2d")
class FractionalMaxPool2d(_FractionalMaxPool):
    """2D fractional max pooling, with windows at random positions.

    float[N, C, H, W] -> float[N, C, H', W']; N is optional. The output size is
    `output_size`, or the input size times `output_ratio`. With `return_indices`, the
    output `indices` (int, same shape) holds the positions of the maxima. Source:
    Graham, "Fractional Max-Pooling", 2014.
    """

    module = "nn.FractionalMaxPool2d"
    function = "F.fractional_max_pool2d"
    spatial = 2


@register("fractional_max_pool3d", torch="torch.nn.FractionalMaxPool3d")
class FractionalMaxPool3d(_FractionalMaxPool):
    """3D fractional max pooling, with windows at random positions.

    float[N, C, D, H, W] -> float[N, C, D', H', W']; N is optional. The output size is
    `output_size`, or the input size times `output_ratio`. With `return_indices`, the
    output `indices` (int, same shape) holds the positions of the maxima. Source:
    Graham, "Fractional Max-Pooling", 2014.
    """

    module = "nn.FractionalMaxPool3d"
    function = "F.fractional_max_pool3d"
    spatial = 3
    extra_elements = 1
