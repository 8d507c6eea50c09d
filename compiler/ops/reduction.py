"""Reductions over dimensions: mean, sum, extrema, variance, any, all, argmax."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import ClassVar, Literal

from compiler.codegen.python import Expr
from compiler.op import errors
from compiler.op.arg_types import Axes, Axis, Probability
from compiler.op.context import Context
from compiler.op.flow_rules import reduction
from compiler.op.op import NUMBER, Code, Port
from compiler.op.registry import register
from compiler.ops._tensor_method import TensorMethod, wrap_axes, wrap_axis
from compiler.symbolic.tensor import Kind, TensorType


def drop_dims(input: TensorType, reduced: Collection[int], keepdim: bool) -> TensorType:
    """The type without some dimensions, or with size 1 for them if `keepdim`."""
    kept = (1,) * keepdim
    shape = [kept if n in reduced else (size,) for n, size in enumerate(input.shape)]
    return input.with_shape(*(size for sizes in shape for size in sizes))


class Reduction(TensorMethod):
    """Base class: reduces some dimensions, or all by default; `keepdim` keeps them with size 1."""

    dim: Axes | None = None
    keepdim: bool = False

    min_elements: ClassVar[int] = 0
    flow = reduction
    neutral: ClassVar[float | None] = None
    """The value of elements that do not count."""

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        reduced = wrap_axes(ctx, self.dim, input.rank)
        for axis in reduced & set(range(input.rank)):
            size = input.shape[axis]
            ctx.require_least(
                "the size of a reduced dimension",
                size,
                self.min_reduced_size(),
                "input",
            )
        found = drop_dims(input, reduced, self.keepdim)
        return found.with_kind(self.kind(input.kind))

    def min_reduced_size(self) -> int:
        """The smallest size that a reduced dimension may have."""
        return self.min_elements

    def kind(self, kind: Kind) -> Kind:
        """The dtype of the result."""
        return kind

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        return f"dim {', '.join(map(str, self.dim))}" if self.dim else "all"


class _Total(Reduction):
    """Base class of mean and sum, whose `keepdim` torch accepts only beside `dim`."""

    def keywords(self, code: Code) -> dict[str, Expr]:
        given = super().keywords(code)
        return {"dim": code.argument("dim"), **given} if "keepdim" in given else given


@register("mean", torch="torch.mean")
class Mean(_Total):
    """Mean over dimensions: float[B, T, D] -> float[B, D] for dim 1."""

    method = "mean"
    inputs = (Port("input"),)


@register("sum", torch="torch.sum")
class Sum(_Total):
    """Sum over dimensions: any[B, T, D] -> number[B, D] for dim 1; bools are counted."""

    method = "sum"
    neutral = 0.0

    def kind(self, kind: Kind) -> Kind:
        return "int" if kind == "bool" else kind


@register("max", torch="torch.amax")
class Max(Reduction):
    """Maximum over dimensions: any[B, T, D] -> any[B, D] for dim 1."""

    method = "amax"
    min_elements = 1
    neutral = -math.inf


@register("min", torch="torch.amin")
class Min(Reduction):
    """Minimum over dimensions: any[B, T, D] -> any[B, D] for dim 1."""

    method = "amin"
    min_elements = 1
    neutral = math.inf


@register("logsumexp", torch="torch.logsumexp")
class Logsumexp(Reduction):
    """Logarithm of the sum of exp(x) over dimensions: number[B, T, D] -> float[B, D] for dim 1."""

    dim: Axes

    method = "logsumexp"
    inputs = (Port("input", NUMBER),)
    neutral = -math.inf

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        if not self.dim:
            raise errors.constraint("logsumexp needs a dimension", argument="dim")
        return super().infer(ctx, input)

    def kind(self, kind: Kind) -> Kind:
        return "float"


@register("prod", torch="torch.prod")
class Prod(TensorMethod):
    """Product over one dimension, or over all: any[B, T] -> number[B] for dim 1."""

    dim: Axis | None = None
    keepdim: bool = False

    method = "prod"
    flow = reduction
    neutral = 1.0

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        kind: Kind = "int" if input.kind == "bool" else input.kind
        if self.dim is None and self.keepdim:
            raise errors.constraint(
                "prod needs dim if keepdim is true", argument="keepdim"
            )
        axes = set(range(input.rank))
        if self.dim is not None:
            axes &= {wrap_axis(ctx, self.dim, input.rank)}
        return drop_dims(input, axes, self.keepdim).with_kind(kind)

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        return "all" if self.dim is None else f"dim {self.dim}"


class _Variance(Reduction):
    """Base class of variance and standard deviation.

    The sum of squared deviations is divided by the number of elements minus
    `correction`.
    """

    correction: int = 1

    inputs: ClassVar[tuple[Port, ...]] = (Port("input"),)


@register("var", torch="torch.var")
class Var(_Variance):
    """Variance over dimensions: float[B, T, D] -> float[B, D] for dim 1."""

    method = "var"


@register("std", torch="torch.std")
class Std(_Variance):
    """Standard deviation over dimensions: float[B, T, D] -> float[B, D] for dim 1."""

    method = "std"


class _LogicalReduction(Reduction):
    """Base class of any and all; an element other than 0 counts as True."""

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        if self.dim == ():
            raise errors.constraint(
                f"{self.name} needs a dimension in dim",
                argument="dim",
                help="without dim, it is over all dimensions",
            )
        return super().infer(ctx, input)

    def kind(self, kind: Kind) -> Kind:
        return "bool"


@register("any", torch="torch.any")
class Any(_LogicalReduction):
    """True if any element is, over dimensions: any[B, T, D] -> bool[B, D] for dim 1."""

    method = "any"
    neutral = 0.0


@register("all", torch="torch.all")
class All(_LogicalReduction):
    """True if all elements are, over dimensions: any[B, T, D] -> bool[B, D] for dim 1."""

    method = "all"
    neutral = 1.0


@register("count_nonzero", torch="torch.count_nonzero")
class CountNonzero(TensorMethod):
    """Number of elements other than 0 over dimensions: any[B, T, D] -> int[B, D] for dim 1."""

    dim: Axes | None = None

    method = "count_nonzero"
    flow = reduction
    neutral = 0.0

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        reduced = wrap_axes(ctx, self.dim, input.rank)
        return drop_dims(input, reduced, False).with_kind("int")

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        return f"dim {', '.join(map(str, self.dim))}" if self.dim else "all"


class _ArgExtremum(TensorMethod):
    """Base class of argmax and argmin: the index along a dimension, or in the flattened input."""

    dim: Axis | None = None
    keepdim: bool = False

    inputs: ClassVar[tuple[Port, ...]] = (Port("input", NUMBER),)
    flow = reduction

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        axes = set(range(input.rank))
        if self.dim is not None:
            axes &= {wrap_axis(ctx, self.dim, input.rank)}
        for axis in axes:
            ctx.require_least(
                "the size of a searched dimension", input.shape[axis], 1, "input"
            )
        return drop_dims(input, axes, self.keepdim).with_kind("int")

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        return "all" if self.dim is None else f"dim {self.dim}"


@register("argmax", torch="torch.argmax")
class Argmax(_ArgExtremum):
    """Index of the maximum along a dimension: number[B, T, D] -> int[B, D] for dim 1."""

    method = "argmax"


@register("argmin", torch="torch.argmin")
class Argmin(_ArgExtremum):
    """Index of the minimum along a dimension: number[B, T, D] -> int[B, D] for dim 1."""

    method = "argmin"


@register("quantile", torch="torch.quantile")
class Quantile(TensorMethod):
    """The q-quantile along a dimension, or of all elements: float[B, T] -> float[B] for dim 1.

    `interpolation` says what is taken between two elements.
    """

    q: Probability
    dim: Axis | None = None
    keepdim: bool = False
    interpolation: Literal["linear", "lower", "higher", "midpoint", "nearest"] = (
        "linear"
    )

    method = "quantile"
    positional = ("q",)
    inputs = (Port("input"),)
    flow = reduction

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        axes = set(range(input.rank))
        if self.dim is not None:
            axes &= {wrap_axis(ctx, self.dim, input.rank)}
        for axis in axes:
            size = input.shape[axis]
            ctx.require_least("the size of a reduced dimension", size, 1, "input")
        return drop_dims(input, axes, self.keepdim)

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        return f"{self.q:g}" if self.dim is None else f"{self.q:g} of dim {self.dim}"
