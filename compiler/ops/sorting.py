"""Sorting along a dimension, and the k largest elements."""

from __future__ import annotations

from compiler.op.arg_types import Axis, Extent
from compiler.op.context import Context
from compiler.op.flow_rules import along_dim
from compiler.op.op import NUMBER, Port
from compiler.op.registry import register
from compiler.ops._tensor_method import TensorMethod, wrap_axis
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType


@register("topk", torch="torch.topk")
class Topk(TensorMethod):
    """The k largest elements along a dimension, and their indices.

    number[..., N] -> number[..., k], int[..., k]; the smallest if not `largest`.
    """

    k: Extent
    dim: Axis = -1
    largest: bool = True
    sorted: bool = True

    method = "topk"
    positional = ("k",)
    inputs = (Port("input", NUMBER),)
    outputs = ("values", "indices")
    flow = along_dim

    def infer(self, ctx: Context, input: TensorType) -> tuple[TensorType, ...]:
        axis = wrap_axis(ctx, self.dim, input.rank)
        size = input.shape[axis] if input.rank else Dim.of(1)
        ctx.require_least("k", self.k, 0)
        ctx.require_least("the dimension's size minus k", size - self.k, 0, "input")
        values = input.with_size(axis, self.k) if input.rank else input
        return values, values.with_kind("int")

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        return f"{ctx.value(self.k)} of dim {self.dim}"


class _Sorting(TensorMethod):
    """Base class: sorts along a dimension."""

    dim: Axis = -1
    descending: bool = False
    stable: bool = False
    flow = along_dim

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        return f"dim {self.dim}"


@register("sort", torch="torch.sort")
class Sort(_Sorting):
    """Elements sorted along a dimension, and their indices in the input: any[...] -> any[...], int[...]."""

    method = "sort"
    outputs = ("values", "indices")

    def infer(self, ctx: Context, input: TensorType) -> tuple[TensorType, ...]:
        wrap_axis(ctx, self.dim, input.rank)
        return input, input.with_kind("int")


@register("argsort", torch="torch.argsort")
class Argsort(_Sorting):
    """Indices that sort the input along a dimension: any[...] -> int[...]."""

    method = "argsort"

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        wrap_axis(ctx, self.dim, input.rank)
        return input.with_kind("int")
