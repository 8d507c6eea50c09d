"""Softmax and related functions along a dimension, and the gated linear unit."""

from __future__ import annotations

from dataclasses import replace

from compiler.op.arg_types import Axis, Positive
from compiler.op.combine_flows import Labelled, contract
from compiler.op.context import Context
from compiler.op.dependence import Dependence
from compiler.op.flow import FlowCall, flow_rule
from compiler.op.flow_rules import along_channels, along_dim, mapped
from compiler.op.op import Op
from compiler.op.registry import register
from compiler.ops._known_values import is_negligible
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType


class _Softmax(Op):
    """Base class: normalises along `dim`, which is required."""

    dim: Axis

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        # A scalar counts as having one dimension of size 1.
        ctx.axis(self.dim, max(input.rank, 1))
        return input

    @flow_rule("other axes")
    def flow(self, call: FlowCall) -> Dependence:
        """An element reads all along `dim`; of a column that is masked by -inf, what the mask leaves."""
        flow, kind = call.operand("input")
        if not kind.rank:
            return replace(flow, known=None)
        labels = tuple(map(str, range(kind.rank)))
        one, axis = Labelled(flow, labels), self.dim % kind.rank
        bands = one.band(self._counts_nothing)
        reason = f"{self.name} reads all of T"
        found = contract([one], labels, bands, reason, along={labels[axis]})
        return replace(
            found, known=mapped(flow.known, self._outside) if bands else None
        )

    def _counts_nothing(self, value: float) -> bool:
        """Whether a value gets a share of 0."""
        return is_negligible(value)

    def _outside(self, value: float) -> float:
        """What becomes of such a value."""
        return 0.0

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        return f"dim {self.dim}"


@register("softmax", torch="torch.nn.Softmax")
class Softmax(_Softmax):
    """exp(x), divided by its sum along `dim`: float[...] -> float[...]."""

    module = "nn.Softmax"
    function = typed_function = "F.softmax"
    family = "activation"


@register("log_softmax", torch="torch.nn.LogSoftmax")
class LogSoftmax(_Softmax):
    """Logarithm of softmax along `dim`: float[...] -> float[...]."""

    module = "nn.LogSoftmax"
    function = "F.log_softmax"
    family = "activation"

    def _outside(self, value: float) -> float:
        return value


@register("softmin", torch="torch.nn.Softmin")
class Softmin(_Softmax):
    """Softmax of -x along `dim`: float[...] -> float[...]."""

    module = "nn.Softmin"
    function = "F.softmin"
    family = "activation"

    def _counts_nothing(self, value: float) -> bool:
        return is_negligible(-value)


@register("gumbel_softmax", torch="torch.nn.functional.gumbel_softmax")
class GumbelSoftmax(_Softmax):
    """Sample of the Gumbel-softmax distribution, one-hot if `hard`: float[...] -> float[...].

    `tau` is the temperature. Source: Jang et al., "Categorical Reparameterization with
    Gumbel-Softmax", 2017.
    """

    tau: Positive = 1.0
    hard: bool = False
    dim: Axis = -1

    function = "F.gumbel_softmax"
    family = "activation"


@register("softmax2d", torch="torch.nn.Softmax2d")
class Softmax2d(Op):
    """Softmax over the channels of images: float[N, C, H, W] -> float[N, C, H, W]; N is optional."""

    family = "activation"
    module = "nn.Softmax2d"
    channel_axis = -3
    flow = along_channels

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        ctx.require_rank("input", input, 3, 4)
        return input


@register("glu", torch="torch.nn.GLU")
class GLU(Op):
    """Gated linear unit: the first half along `dim` times the sigmoid of the second half.

    float[..., 2 * D] -> float[..., D]. Source: Dauphin et al., "Language Modeling with
    Gated Convolutional Networks", 2017.
    """

    dim: Axis = -1

    family = "activation"
    module = "nn.GLU"
    function = "F.glu"
    flow = along_dim

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        ctx.require_least_rank("input", input, 1)
        axis = ctx.axis(self.dim, input.rank)
        size = input.shape[axis]
        ctx.require_multiple(f"the size of dim {self.dim}", size, "2", Dim.of(2))
        return input.with_size(axis, size // 2)
