"""Sorting along a dimension, the k largest elements, and search in sorted rows."""

from __future__ import annotations

from typing import ClassVar

from compiler.codegen.python import Expr, call
from compiler.op.arg_types import Axis, Extent, Size
from compiler.op.combine_flows import AxisJoiner, without
from compiler.op.context import Context
from compiler.op.dependence import Dependence
from compiler.op.flow import FlowCall, flow_rule
from compiler.op.flow_rules import along_dim, reduction
from compiler.op.op import NUMBER, Code, Op, Port
from compiler.op.registry import register
from compiler.ops._tensor_method import TensorMethod, wrap_axis
from compiler.ops.reduction import drop_dims
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


def _one_of_each_row(
    ctx: Context, input: TensorType, dim: int, keepdim: bool
) -> tuple[TensorType, TensorType]:
    """The types of one element of each row, and of its index."""
    axis = wrap_axis(ctx, dim, input.rank)
    if input.rank:
        ctx.require_least("the dimension's size", input.shape[axis], 1, "input")
    values = drop_dims(input, {axis} if input.rank else (), keepdim)
    return values, values.with_kind("int")


class _OrderStatistic(TensorMethod):
    """Base class: one element of each row in sorted order, and its index."""

    outputs = ("values", "indices")
    inputs = (Port("input", NUMBER),)
    flow = reduction

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        return f"dim {vars(self)['dim']}"


@register("kthvalue", torch="torch.kthvalue")
class Kthvalue(_OrderStatistic):
    """The k-th smallest element along a dimension, and its index: number[..., N] -> number[...], int[...].

    `k` counts from 1.
    """

    k: Size
    dim: Axis = -1
    keepdim: bool = False

    method = "kthvalue"
    positional = ("k",)

    def infer(self, ctx: Context, input: TensorType) -> tuple[TensorType, ...]:
        found = _one_of_each_row(ctx, input, self.dim, self.keepdim)
        size = input.shape[self.dim] if input.rank else Dim.of(1)
        ctx.require_least("the dimension's size minus k", size - self.k, 0, "input")
        return found


@register("median", torch="torch.median")
class Median(_OrderStatistic):
    """The median along a dimension, and its index: number[..., N] -> number[...], int[...].

    Of an even number of elements it is the lower of the two in the middle.
    """

    dim: Axis
    keepdim: bool = False

    method = "median"
    positional = ("dim",)

    def infer(self, ctx: Context, input: TensorType) -> tuple[TensorType, ...]:
        return _one_of_each_row(ctx, input, self.dim, self.keepdim)


class _Search(Op):
    """Base class: where numbers belong in a row of sorted ones."""

    right: bool = False

    row: ClassVar[str]

    @flow_rule("other axes")
    def flow(self, call: FlowCall) -> Dependence:
        """An element reads all of the sorted row that it is looked up in."""
        numbers, row = call["input"], call[self.row]
        reason = f"{self.name} looks elements up in all of T"
        lost = without(row, {len(row.axes) - 1}, reason)
        joiner = AxisJoiner(len(numbers.axes))
        for axes in (numbers.axes, lost.axes[:-1]):
            for place, axis in enumerate(axes):
                joiner.add(place, axis)
        return joiner.result(numbers, lost)


@register("bucketize", torch="torch.bucketize")
class Bucketize(_Search):
    """The number of the bucket of each element: number[...], number[N] -> int[...].

    `boundaries` are sorted; element x is in bucket i if boundaries[i-1] < x <= boundaries[i], or with `right`, if
    boundaries[i-1] <= x < boundaries[i].
    """

    row = "boundaries"
    inputs = (Port("input", NUMBER), Port("boundaries", NUMBER))

    def infer(
        self, ctx: Context, input: TensorType, boundaries: TensorType
    ) -> TensorType:
        ctx.require_rank("boundaries", boundaries, 1)
        return input.with_kind("int")

    def apply(self, code: Code, input: Expr, boundaries: Expr) -> Expr:
        return call("torch.bucketize", input, boundaries, **self.keywords(code))


@register("searchsorted", torch="torch.searchsorted")
class Searchsorted(_Search):
    """Where each element belongs in its row of sorted numbers: number[..., N], number[..., M] -> int[..., M].

    Index i is the first at which it can stand before sorted_sequence[i], or with `right`, the last. A row of one
    dimension serves elements of any shape.
    """

    row = "sorted_sequence"
    inputs = (Port("sorted_sequence", NUMBER), Port("input", NUMBER))

    def infer(
        self, ctx: Context, sorted_sequence: TensorType, input: TensorType
    ) -> TensorType:
        ctx.require_least_rank("sorted_sequence", sorted_sequence, 1)
        if sorted_sequence.rank > 1:
            ctx.require_rank("input", input, sorted_sequence.rank)
            rows = zip(input.shape[:-1], sorted_sequence.shape[:-1], strict=True)
            for size, wanted in rows:
                message = "searchsorted needs as many rows in both inputs"
                ctx.require_equal(message, size, wanted, "input")
        return input.with_kind("int")

    def apply(self, code: Code, sorted_sequence: Expr, input: Expr) -> Expr:
        keywords = self.keywords(code)
        return call("torch.searchsorted", sorted_sequence, input, **keywords)


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
