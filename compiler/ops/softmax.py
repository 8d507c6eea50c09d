"""Activations across a dimension: softmax and its kin, and the gated linear unit."""

from __future__ import annotations

from compiler.op.arg_types import Axis, Positive
from compiler.op.context import Context
from compiler.op.op import Op
from compiler.op.registry import register
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType


class _Softmax(Op):
    """What the ops share that normalise along `dim`, which torch wants to be told."""

    dim: Axis

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        # A scalar counts as one element along a dimension of its own.
        ctx.axis(self.dim, max(input.rank, 1))
        return input

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        return f"dim {self.dim}"


@register("softmax", torch="torch.nn.Softmax")
class Softmax(_Softmax):
    """exp(x) over its sum along `dim`: float[...] -> float[...]."""

    module = "nn.Softmax"
    function = "F.softmax"
    family = "activation"


@register("log_softmax", torch="torch.nn.LogSoftmax")
class LogSoftmax(_Softmax):
    """The logarithm of softmax: float[...] -> float[...]."""

    module = "nn.LogSoftmax"
    function = "F.log_softmax"
    family = "activation"


@register("softmin", torch="torch.nn.Softmin")
class Softmin(_Softmax):
    """The softmax of -x: float[...] -> float[...]."""

    module = "nn.Softmin"
    function = "F.softmin"
    family = "activation"


@register("gumbel_softmax", torch="torch.nn.functional.gumbel_softmax")
class GumbelSoftmax(_Softmax):
    """A Gumbel-softmax sample (Jang et al., 2017), one-hot where `hard`.

    float[...] -> float[...].
    """

    tau: Positive = 1.0
    hard: bool = False
    dim: Axis = -1

    function = "F.gumbel_softmax"
    family = "activation"


@register("softmax2d", torch="torch.nn.Softmax2d")
class Softmax2d(Op):
    """The softmax over the channels of an image.

    float[N, C, H, W] -> the same, or without N.
    """

    family = "activation"
    module = "nn.Softmax2d"

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        ctx.require_rank("input", input, 3, 4)
        return input


@register("glu", torch="torch.nn.GLU")
class GLU(Op):
    """The first half along `dim`, gated by the sigmoid of the second.

    float[..., 2 * D] -> float[..., D].
    """

    dim: Axis = -1

    family = "activation"
    module = "nn.GLU"
    function = "F.glu"

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        ctx.require_least_rank("input", input, 1)
        axis = ctx.axis(self.dim, input.rank)
        size = input.shape[axis]
        ctx.require_multiple(f"the size of dim {self.dim}", size, "2", Dim.of(2))
        return input.with_size(axis, size // 2)
