"""Position biases for attention."""

from __future__ import annotations

from typing import Any

from compiler.codegen.python import Expr, call
from compiler.op import errors
from compiler.op.arg_types import Axis, Size
from compiler.op.context import Context
from compiler.op.dependence import Dependence
from compiler.op.flow import FlowCall, flow_rule
from compiler.op.flow_rules import position_axis
from compiler.op.op import ANY, Code, Op, Port, Shape
from compiler.op.registry import register
from compiler.ops.embedding import offset_argument
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType


class _PositionBias(Op):
    """Base class. The inputs only supply the sizes T and S of their dimension `dim`."""

    num_heads: Size
    dim: Axis = 1

    family = "embedding"
    positional = ("num_heads",)
    chains = False
    column_axes = (3,)
    column_source = "key"
    inputs = (Port("query", ANY), Port("key", ANY, optional=True))

    def infer(
        self, ctx: Context, query: TensorType, key: TensorType | None = None
    ) -> TensorType:
        rows, columns = (
            tensor.shape[ctx.axis(self.dim, tensor.rank)]
            for tensor in (query, query if key is None else key)
        )
        ctx.constant(self.num_heads, "num_heads", "num_heads")
        return TensorType(
            "float", query.with_shape(1, self.num_heads, rows, columns).shape
        )

    @flow_rule("positions")
    def flow(self, call: FlowCall) -> Dependence:
        """A bias for each distance, of rows as of the query and columns as of the key."""
        port = "key" if call.has("key") else "query"
        row, column = (
            position_axis(call[name], call.type(name), self.dim)
            for name in ("query", port)
        )
        return Dependence((None, None, row, column))

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], **inputs: Any
    ) -> str:
        return f"{ctx.value(self.num_heads)} heads"

    def apply(self, code: Code, query: Expr, key: Expr | None = None) -> Expr:
        given = [query] if key is None else [query, key]
        return call(code.module(), *given, **offset_argument(code))


@register("relative_position_bias", torch="")
class RelativePositionBias(_PositionBias):
    """T5's learned bias per head and bucket of relative positions: -> float[1, num_heads, T, S].

    `query` is any[B, T, ...], `key` any[B, S, ...]; `key` defaults to the query. Use
    the output as the `bias` of attention. If `bidirectional`, half of the buckets are
    for keys after the query; otherwise, all keys after the query share the bucket of
    distance 0. In each direction, half of the buckets hold one distance each, and the
    others logarithmically larger ranges up to max_distance; the last bucket also holds
    all larger distances.

    Source: Raffel et al., "Exploring the Limits of Transfer Learning with a Unified
    Text-to-Text Transformer", 2020; transformers' T5Attention.
    """

    num_buckets: Size = Dim.of(32)
    max_distance: Size = Dim.of(128)
    bidirectional: bool = True

    module = "RelativePositionBias"
    library = "relative_position_bias"

    def infer(
        self, ctx: Context, query: TensorType, key: TensorType | None = None
    ) -> TensorType:
        sides = 2 if self.bidirectional else 1
        buckets = ctx.constant(self.num_buckets, "num_buckets", "num_buckets")
        if not ctx.at_least(self.num_buckets, 2 * sides):
            message = f"num_buckets is {buckets}, and must be at least {2 * sides}"
            raise errors.constraint(message, argument="num_buckets")
        near = buckets // sides // 2
        # Above `num_buckets // sides // 2`, which is no polynomial.
        if not ctx.at_least(2 * sides * self.max_distance, self.num_buckets + 1):
            message = f"max_distance must be above {near}, the number of single-distance buckets"
            raise errors.constraint(message, argument="max_distance")
        return super().infer(ctx, query, key)

    def weights(
        self, query: TensorType, key: TensorType | None = None
    ) -> dict[str, Shape]:
        return {"weight": (self.num_buckets, self.num_heads)}


@register("alibi", torch="")
class Alibi(_PositionBias):
    """ALiBi: a bias that falls linearly with distance in each head: -> float[1, num_heads, T, S].

    `query` is any[B, T, ...], `key` any[B, S, ...]; `key` defaults to the query. Use
    the output as the `bias` of attention; it has the query's dtype if that is float.
    The bias is -slope * |t - s|; for 2^k heads, the slopes go from 2^(-8 / 2^k) to
    2^-8. There are no weights.

    Source: Press et al., "Train Short, Test Long", 2022; transformers' BloomModel.
    """

    module = "Alibi"
    library = "alibi"
