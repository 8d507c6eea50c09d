"""Triangular parts, diagonals, the trace and the outer product."""

from __future__ import annotations

import math
from dataclasses import replace

from compiler.codegen.python import Expr, call
from compiler.op import errors
from compiler.op.arg_types import Axis, Integer
from compiler.op.combine_flows import AxisJoiner, shifted
from compiler.op.context import Context
from compiler.op.dependence import Bound, Dependence, Guard
from compiler.op.flow import FlowCall, flow_rule, unknown
from compiler.op.flow_rules import contraction, intersected
from compiler.op.op import ANY, NUMBER, Code, Op, Port
from compiler.op.registry import register
from compiler.ops._tensor_method import TensorMethod, promote
from compiler.symbolic.dims import Dim
from compiler.symbolic.explain import when_at_least
from compiler.symbolic.tensor import TensorType


class _Triangle(TensorMethod):
    """Base class: the part of a matrix on one side of a diagonal; the rest is zero (or False)."""

    diagonal: Integer = Dim.of(0)

    positional = ("diagonal",)
    by_place = True

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        ctx.require_least_rank("input", input, 2)
        return input

    @flow_rule("mask")
    def flow(self, call: FlowCall) -> Dependence:
        """Outside the triangle, the value is 0."""
        flow, number = call["input"], call.number(self.diagonal)
        row, column = len(flow.axes) - 2, len(flow.axes) - 1
        carries = flow.axes[row] is not None and flow.axes[column] is not None
        if number is None or not carries:
            return replace(flow, known=None)
        guard = Guard(row, column, *self._kept(number), 0.0)
        return replace(flow, known=intersected([guard, flow.known], 0.0))

    def _kept(self, number: int) -> tuple[Bound, Bound]:
        """Which columns stay, counted from the row."""
        raise TypeError(type(self).__name__)

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        return "" if self.diagonal == 0 else f"from {ctx.value(self.diagonal)}"

    def apply(self, code: Code, input: Expr) -> Expr:
        positional = [code.argument("diagonal")] if code.given("diagonal") else []
        return call(f"torch.{self.name}", input, *positional)


@register("tril", torch="torch.tril")
class Tril(_Triangle):
    """Lower triangle of the last two dimensions: any[..., N, M] -> any[..., N, M].

    A positive `diagonal` includes diagonals above the main one.
    """

    def _kept(self, number: int) -> tuple[Bound, Bound]:
        return -math.inf, number


@register("triu", torch="torch.triu")
class Triu(_Triangle):
    """Upper triangle of the last two dimensions: any[..., N, M] -> any[..., N, M].

    A positive `diagonal` excludes diagonals above the main one.
    """

    def _kept(self, number: int) -> tuple[Bound, Bound]:
        return number, math.inf


@register("diagonal", torch="torch.diagonal")
class Diagonal(TensorMethod):
    """Diagonal of two dimensions, as the last dimension: any[B, N, N] -> any[B, N] for dims 1, 2.

    A positive `offset` is above the main diagonal, a negative one below.
    """

    offset: Integer = Dim.of(0)
    dim1: Axis = 0
    dim2: Axis = 1

    method = "diagonal"
    by_place = True

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        first = ctx.axis(self.dim1, input.rank, "dim1")
        second = ctx.axis(self.dim2, input.rank, "dim2")
        if first == second:
            raise errors.constraint(
                "diagonal needs two different dimensions", argument="dim2"
            )
        rows, columns = input.shape[first], input.shape[second]
        length = self._length(ctx, rows, columns)
        rest = (n for i, n in enumerate(input.shape) if i not in (first, second))
        return input.with_shape(*rest, length)

    @flow_rule("mask")
    def flow(self, call: FlowCall) -> Dependence:
        """Element e reads row e and column e + offset."""
        flow, number = call["input"], call.number(self.offset)
        rank = len(flow.axes)
        first, second = self.dim1 % rank, self.dim2 % rank
        rest = [n for n in range(rank) if n not in (first, second)]
        joiner = AxisJoiner(len(rest) + 1)
        for n, axis in enumerate(rest):
            joiner.add(n, flow.axes[axis])
        if number is None:
            (found,) = unknown(call, "the offset depends on a size")
            return found
        for axis, start in ((first, max(-number, 0)), (second, max(number, 0))):
            joiner.add(len(rest), shifted(flow, axis, start).axes[axis])
        return joiner.result(flow)

    def _length(self, ctx: Context, rows: Dim, columns: Dim) -> Dim:
        if ctx.at_least(self.offset, 0):
            columns = columns - self.offset
        else:
            ctx.at_least(-self.offset, 1)
            rows = rows + self.offset
        for less, more in ((rows, columns), (columns, rows)):
            if ctx.at_least(more - less, 0):
                return self._not_negative(ctx, less)
        value = ctx.value(columns - rows)
        raise errors.constraint(
            f"diagonal needs {value} >= 0 for all input sizes, or for none",
            conditions=when_at_least(ctx.domain, value, 0),
        )

    def _not_negative(self, ctx: Context, length: Dim) -> Dim:
        """The length of the diagonal; one outside the matrix has no elements."""
        if ctx.at_least(-length, 0):
            return Dim.of(0)
        ctx.require_least("the diagonal's length", length, 0, "input")
        return length

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        return f"dims {self.dim1}, {self.dim2}"


@register("trace", torch="torch.trace")
class Trace(TensorMethod):
    """Sum of a matrix's diagonal: number[N, M] -> number[]."""

    method = "trace"
    inputs = (Port("input", NUMBER),)

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        ctx.require_rank("input", input, 2)
        return input.with_shape()

    @flow_rule("reduction")
    def flow(self, call: FlowCall) -> Dependence:
        """The sum of the whole diagonal."""
        (found,) = unknown(call, "trace sums over T")
        return found


@register("outer", torch="torch.outer")
class Outer(Op):
    """Outer product of two vectors: any[N], any[M] -> any[N, M]."""

    function = "torch.outer"
    inputs = (Port("input", ANY), Port("other", ANY))

    def infer(self, ctx: Context, input: TensorType, other: TensorType) -> TensorType:
        ctx.require_rank("input", input, 1)
        ctx.require_rank("other", other, 1)
        kind = promote((input.kind, other.kind))
        return TensorType(kind, (*input.shape, *other.shape))

    @flow_rule("contraction")
    def flow(self, call: FlowCall) -> Dependence:
        """Both axes stay, as row and column."""
        return contraction(call, (("row",), ("column",)), ("row", "column"), "")
