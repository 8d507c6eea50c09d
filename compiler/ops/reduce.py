"""Dimensions reduced to one value: mean, sum, extremes."""

from __future__ import annotations

from typing import ClassVar

from compiler import faults
from compiler.context import Context
from compiler.fields import Axes, Axis
from compiler.op import NUMBER, Port
from compiler.ops._method import Method, wrap_axes, wrap_axis
from compiler.registry import register
from compiler.tensor import Kind, TensorType


class Reduction(Method):
    """A function over dimensions, or over all where none is named.

    `keepdim` keeps each with size 1.
    """

    dim: Axes | None = None
    keepdim: bool = False

    least: ClassVar[int] = 0
    """The size that a reduced dimension has at least."""

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        reduced = wrap_axes(ctx, self.dim, input.rank)
        for axis in reduced & set(range(input.rank)):
            ctx.require_least(
                "a size to reduce", input.shape[axis], self.least, "input"
            )
        return self._without(input, reduced).with_kind(self.kind(input.kind))

    def kind(self, kind: Kind) -> Kind:
        """The dtype kind of the result."""
        return kind

    def _without(self, input: TensorType, reduced: frozenset[int]) -> TensorType:
        shape = [
            (1,) * self.keepdim if axis in reduced else (size,)
            for axis, size in enumerate(input.shape)
        ]
        return input.with_shape(*(size for sizes in shape for size in sizes))

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        return f"dim {', '.join(map(str, self.dim))}" if self.dim else "all"


@register("mean", torch="torch.mean")
class Mean(Reduction):
    """The mean over dimensions: float[B, T, D] -> float[B, D] for dim 1."""

    method = "mean"
    inputs = (Port("input"),)


@register("sum", torch="torch.sum")
class Sum(Reduction):
    """The sum over dimensions: any[B, T, D] -> number[B, D] for dim 1.

    Of bools it is the number of true ones.
    """

    method = "sum"

    def kind(self, kind: Kind) -> Kind:
        return "int" if kind == "bool" else kind


@register("max", torch="torch.amax")
class Max(Reduction):
    """The greatest element over dimensions: any[B, T, D] -> any[B, D] for dim 1."""

    method = "amax"
    least = 1


@register("min", torch="torch.amin")
class Min(Reduction):
    """The smallest element over dimensions: any[B, T, D] -> any[B, D] for dim 1."""

    method = "amin"
    least = 1


@register("logsumexp", torch="torch.logsumexp")
class Logsumexp(Reduction):
    """log Σ exp(x) over dimensions: number[B, T, D] -> float[B, D] for dim 1."""

    dim: Axes

    method = "logsumexp"
    inputs = (Port("input", NUMBER),)

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        if not self.dim:
            raise faults.constraint("logsumexp needs a dimension", argument="dim")
        return super().infer(ctx, input)

    def kind(self, kind: Kind) -> Kind:
        return "float"


class Position(Method):
    """The position of an extreme: along a dimension, or among all elements."""

    dim: Axis | None = None
    keepdim: bool = False

    inputs: ClassVar[tuple[Port, ...]] = (Port("input", NUMBER),)

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        axes = set(range(input.rank))
        if self.dim is not None:
            axes &= {wrap_axis(ctx, self.dim, input.rank)}
        for axis in axes:
            ctx.require_least("a size to search", input.shape[axis], 1, "input")
        kept = (1,) * self.keepdim
        shape = [kept if n in axes else (size,) for n, size in enumerate(input.shape)]
        return TensorType("int", ()).with_shape(
            *(size for part in shape for size in part)
        )

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        return "all" if self.dim is None else f"dim {self.dim}"


@register("argmax", torch="torch.argmax")
class Argmax(Position):
    """Where the greatest element stands: number[B, T, D] -> int[B, D] for dim 1."""

    method = "argmax"


@register("argmin", torch="torch.argmin")
class Argmin(Position):
    """Where the smallest element stands: number[B, T, D] -> int[B, D] for dim 1."""

    method = "argmin"
