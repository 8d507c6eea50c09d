"""Similarity and distance of vectors."""

from __future__ import annotations

from typing import ClassVar

from compiler.op.arg_types import Axis, NonNegative
from compiler.op.combine_flows import join
from compiler.op.context import Context
from compiler.op.dependence import Dependence
from compiler.op.flow import FlowCall, flow_rule
from compiler.op.flow_rules import reduced
from compiler.op.op import Op, Port
from compiler.op.registry import register
from compiler.ops._tensor_method import wrap_axis
from compiler.symbolic.tensor import TensorType


class _Distance(Op):
    """Base class: two inputs that broadcast."""

    family: ClassVar[str] = "arithmetic"
    inputs = (Port("x1"), Port("x2"))
    positional: ClassVar[tuple[str, ...]] = ()
    chains = False

    def shape(self, ctx: Context, x1: TensorType, x2: TensorType) -> TensorType:
        """The type of the inputs, broadcast."""
        return x1.with_shape(*ctx.broadcast(self.name, {"x1": x1, "x2": x2}))


@register("cosine_similarity", torch="torch.nn.CosineSimilarity")
class CosineSimilarity(_Distance):
    """Cosine similarity along `dim`, from -1 to 1.

    float[B, D, ...], float[B, D, ...] -> float[B, ...]; shapes broadcast. `eps` is the
    least product of the norms, which avoids division by zero.
    """

    dim: Axis = 1
    eps: NonNegative = 1e-8

    module = "nn.CosineSimilarity"
    function = "F.cosine_similarity"

    def infer(self, ctx: Context, x1: TensorType, x2: TensorType) -> TensorType:
        both = self.shape(ctx, x1, x2)
        axis = wrap_axis(ctx, self.dim, both.rank)
        return both.with_shape(*both.shape[:axis], *both.shape[axis + 1 :])

    @flow_rule("other axes")
    def flow(self, call: FlowCall) -> Dependence:
        """An element reads both vectors along `dim`, which goes."""
        return _over(
            call, self.dim, keepdim=False, reason=f"{self.name} reads all of T"
        )


@register("pairwise_distance", torch="torch.nn.PairwiseDistance")
class PairwiseDistance(_Distance):
    """p-norm of the difference of vectors: float[..., D], float[..., D] -> float[...].

    Shapes broadcast. `eps` is added to each difference, which avoids division by zero
    in the gradient; with `keepdim`, the result is float[..., 1].
    """

    p: float = 2.0
    eps: float = 1e-6
    keepdim: bool = False

    module = "nn.PairwiseDistance"
    function = "F.pairwise_distance"

    def infer(self, ctx: Context, x1: TensorType, x2: TensorType) -> TensorType:
        both = self.shape(ctx, x1, x2)
        ctx.require_least_rank("x1", both, 1)
        return both.with_shape(*both.shape[:-1], *([1] if self.keepdim else []))

    @flow_rule("other axes")
    def flow(self, call: FlowCall) -> Dependence:
        """An element reads both vectors along the last axis, which goes."""
        reason = f"{self.name} reads all of T"
        return _over(call, -1, keepdim=self.keepdim, reason=reason)


def _over(call: FlowCall, dim: int, *, keepdim: bool, reason: str) -> Dependence:
    """Both inputs, joined, without an axis."""
    operands = list(call.operands())
    wide = max((kind for _, kind in operands), key=lambda kind: kind.rank)
    shape = call.context.broadcast("", {str(n): k for n, (_, k) in enumerate(operands)})
    both = wide.with_shape(*shape)
    joined = join(call, operands, both)
    axes = {dim % max(both.rank, 1)}
    return reduced(
        call, (joined, both), axes, keepdim=keepdim, neutral=None, reason=reason
    )
