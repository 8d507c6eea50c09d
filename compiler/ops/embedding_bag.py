"""Pooled token embeddings."""

from __future__ import annotations

from typing import Any, Literal

from compiler.codegen.python import Expr, call
from compiler.codegen.statements import Stmt
from compiler.op import errors
from compiler.op.arg_types import Integer, Positive, Size
from compiler.op.combine_flows import join, with_axes, without
from compiler.op.context import Context
from compiler.op.dependence import Dependence
from compiler.op.flow import FlowCall, flow_rule, unknown
from compiler.op.op import Code, Op, Port, Shape
from compiler.op.registry import register
from compiler.ops.embedding import padding_zeros, require_padding
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType


@register("embedding_bag", torch="torch.nn.EmbeddingBag")
class EmbeddingBag(Op):
    """The sum, mean or maximum of the embeddings of each bag of tokens.

    int[B, T] -> float[B, embedding_dim], where each row is a bag; or int[T] with
    `offsets` int[B], the index at which each bag starts. With `include_last_offset`,
    the last offset is the end of the last bag, so there is one fewer bag; there must be
    at least one.

    `per_sample_weights`, a factor for each token, requires mode sum. Tokens equal to
    `padding_idx` are ignored. `max_norm` is that of `embedding`.
    """

    num_embeddings: Size
    embedding_dim: Size
    max_norm: Positive | None = None
    norm_type: float = 2.0
    scale_grad_by_freq: bool = False
    mode: Literal["sum", "mean", "max"] = "mean"
    sparse: bool = False
    include_last_offset: bool = False
    padding_idx: Integer | None = None

    family = "embedding"
    module = "nn.EmbeddingBag"
    positional = ("num_embeddings", "embedding_dim")
    chains = False
    inputs = (
        Port("input", ("int",)),
        Port("offsets", ("int",), optional=True),
        Port("per_sample_weights", optional=True),
    )

    def infer(
        self,
        ctx: Context,
        input: TensorType,
        offsets: TensorType | None = None,
        per_sample_weights: TensorType | None = None,
    ) -> TensorType:
        require_padding(ctx, self.padding_idx, self.num_embeddings)
        ctx.require_rank("input", input, 2 if offsets is None else 1)
        self._require_mode(ctx, input, per_sample_weights)
        return TensorType(
            "float", (self._bags(ctx, input, offsets), self.embedding_dim)
        )

    @flow_rule("other axes")
    def flow(self, call: FlowCall) -> Dependence:
        """An element reads the whole bag."""
        if call.has("offsets"):
            (found,) = unknown(call, "the offsets of bags may be anywhere in T")
            return found
        joined = join(call, list(call.operands()), call.type("input"))
        found = without(joined, {1}, "embedding_bag reads all of T")
        return with_axes(found, [0, None])

    def _bags(self, ctx: Context, input: TensorType, offsets: TensorType | None) -> Dim:
        """The number of bags."""
        if offsets is not None:
            ctx.require_rank("offsets", offsets, 1)
            bags = offsets.shape[0] - self.include_last_offset
            ctx.require_least("the number of bags", bags, 1, "offsets")
            return bags
        if self.include_last_offset:
            message = "include_last_offset requires offsets"
            raise errors.constraint(message, argument="include_last_offset")
        return input.shape[0]

    def _require_mode(
        self, ctx: Context, input: TensorType, weights: TensorType | None
    ) -> None:
        for argument in ("scale_grad_by_freq", "sparse"):
            if self.mode == "max" and getattr(self, argument):
                message = f"mode max does not support {argument}"
                raise errors.constraint(message, argument=argument)
        if weights is None:
            return
        if self.mode != "sum":
            message = f"per_sample_weights requires mode sum, not {self.mode}"
            raise errors.constraint(message, port="per_sample_weights")
        ctx.require_rank("per_sample_weights", weights, input.rank)
        for given, wanted in zip(weights.shape, input.shape, strict=True):
            message = "embedding_bag needs one weight for each token"
            ctx.require_equal(message, given, wanted, "per_sample_weights")

    def weights(self, input: TensorType, **others: Any) -> dict[str, Shape]:
        return {"weight": (self.num_embeddings, self.embedding_dim)}

    def restore(self, module: Expr) -> tuple[Stmt, ...]:
        return () if self.padding_idx is None else padding_zeros(module)

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], **inputs: Any
    ) -> str:
        count, width = ctx.value(self.num_embeddings), ctx.value(self.embedding_dim)
        return f"{self.mode}, {count} → {width}"

    def apply(
        self,
        code: Code,
        input: Expr,
        offsets: Expr | None = None,
        per_sample_weights: Expr | None = None,
    ) -> Expr:
        positional = [input] if offsets is None else [input, offsets]
        options = {"per_sample_weights": per_sample_weights}
        given = {key: value for key, value in options.items() if value is not None}
        return call(code.module(), *positional, **given)
