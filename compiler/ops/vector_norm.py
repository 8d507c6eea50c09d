"""Norms of vectors and distances between them."""

from __future__ import annotations

import math

from compiler.codegen.python import Expr, call, lit
from compiler.op import errors
from compiler.op.arg_types import Axis, NonNegative
from compiler.op.context import Context
from compiler.op.dependence import Dependence
from compiler.op.flow import FlowCall, flow_rule
from compiler.op.flow_rules import along_dim, contraction
from compiler.op.op import Code, Op, Port
from compiler.op.registry import register
from compiler.ops._tensor_method import wrap_axis
from compiler.ops.reduction import Reduction
from compiler.symbolic.tensor import TensorType


def _min_elements(order: float) -> int:
    """How many elements a norm needs: the maximum and minimum of no elements are undefined."""
    return int(order < 0 or order == math.inf)


@register("vector_norm", torch="torch.linalg.vector_norm")
class VectorNorm(Reduction):
    """(Σ |x|ᵒʳᵈ)^(1/ord) over dimensions: float[B, T, D] -> float[B, T] for dim -1.

    With `ord` infinity it is the largest |x|, with 0 the number of nonzero elements.
    """

    ord: float = 2.0

    inputs = (Port("input"),)

    def min_reduced_size(self) -> int:
        return _min_elements(self.ord)

    def apply(self, code: Code, input: Expr) -> Expr:
        return call("torch.linalg.vector_norm", input, **self.keywords(code))


@register("normalize", torch="torch.nn.functional.normalize")
class Normalize(Op):
    """Divides by the p-norm along a dimension: float[B, D] -> float[B, D] for dim 1.

    `eps` is the smallest divisor, which avoids division by zero.
    """

    p: float = 2.0
    dim: Axis = 1
    eps: NonNegative = 1e-12

    function = "F.normalize"
    flow = along_dim

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        axis = wrap_axis(ctx, self.dim, input.rank)
        if input.rank:
            fewest = _min_elements(self.p)
            ctx.require_least(
                "the size of a vector", input.shape[axis], fewest, "input"
            )
        return input

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        return f"dim {self.dim}"


@register("cdist", torch="torch.cdist")
class Cdist(Op):
    """Pairwise p-norm distances: float[..., N, D], float[..., M, D] -> float[..., N, M].

    Leading dimensions broadcast. Distances are computed directly: torch's faster
    computation by a matrix product is inaccurate for small distances.
    """

    p: float = 2.0

    inputs = (Port("x1"), Port("x2"))

    def infer(self, ctx: Context, x1: TensorType, x2: TensorType) -> TensorType:
        if self.p < 0:
            raise errors.constraint("p must be at least 0", argument="p")
        ctx.require_least_rank("x1", x1, 2)
        ctx.require_least_rank("x2", x2, 2)
        message = "cdist needs vectors of the same size"
        ctx.require_equal(message, x1.shape[-1], x2.shape[-1], "x2")
        batches = {
            "x1": x1.with_shape(*x1.shape[:-2]),
            "x2": x2.with_shape(*x2.shape[:-2]),
        }
        batch = ctx.broadcast("cdist", batches)
        return x1.with_shape(*batch, x1.shape[-2], x2.shape[-2])

    @flow_rule("contraction")
    def flow(self, call: FlowCall) -> Dependence:
        """Rows of the one and of the other stay; their last axis goes."""
        rank = call.outputs[0].rank
        batch = [f"batch {n}" for n in range(rank - 2)]
        ranks = [kind.rank - 2 for _, kind in call.operands()]
        names = [batch[len(batch) - n :] for n in ranks]
        labels = (*names[0], "row", "inner"), (*names[1], "column", "inner")
        return contraction(call, labels, (*batch, "row", "column"), "cdist sums over T")

    def apply(self, code: Code, x1: Expr, x2: Expr) -> Expr:
        options = self.keywords(code)
        if self.p == 2:  # torch's automatic choice would make sizes static
            options["compute_mode"] = lit("donot_use_mm_for_euclid_dist")
        return call("torch.cdist", x1, x2, **options)
