"""How near vectors are to one another."""

from __future__ import annotations

from typing import ClassVar

from compiler.op.arg_types import Axis
from compiler.op.context import Context
from compiler.op.op import Op, Port
from compiler.op.registry import register
from compiler.ops._tensor_method import wrap_axis
from compiler.symbolic.tensor import TensorType


class _Distance(Op):
    """What both share: two inputs that broadcast."""

    family: ClassVar[str] = "arithmetic"
    inputs = (Port("x1"), Port("x2"))
    positional: ClassVar[tuple[str, ...]] = ()
    chains = False

    def shape(self, ctx: Context, x1: TensorType, x2: TensorType) -> TensorType:
        """The inputs, broadcast against one another."""
        return x1.with_shape(*ctx.broadcast(self.name, {"x1": x1, "x2": x2}))


@register("cosine_similarity", torch="torch.nn.CosineSimilarity")
class CosineSimilarity(_Distance):
    """The cosine of the angle between vectors along `dim`, from -1 to 1.

    float[B, D, ...], float[B, D, ...] -> float[B, ...]. Both are broadcast. `eps` keeps
    the product of the lengths from 0.
    """

    dim: Axis = 1
    eps: float = 1e-8

    module = "nn.CosineSimilarity"
    function = "F.cosine_similarity"

    def infer(self, ctx: Context, x1: TensorType, x2: TensorType) -> TensorType:
        both = self.shape(ctx, x1, x2)
        axis = wrap_axis(ctx, self.dim, both.rank)
        return both.with_shape(*both.shape[:axis], *both.shape[axis + 1 :])


@register("pairwise_distance", torch="torch.nn.PairwiseDistance")
class PairwiseDistance(_Distance):
    """The p-norm of the difference of vectors: float[..., D], float[..., D] -> float[...].

    Both are broadcast. `eps` is added to each difference; with `keepdim` the result is
    float[..., 1].
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
