"""Adaptive softmax: a softmax over many classes that spends less computation on rare ones."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Annotated, Any

from pydantic import Field

from compiler.codegen.python import Expr, call, method
from compiler.op import errors
from compiler.op.arg_types import Size, Sizes
from compiler.op.combine_flows import join, with_axes, without
from compiler.op.context import Context
from compiler.op.dependence import Dependence
from compiler.op.flow import FlowCall, flow_rule, unknown
from compiler.op.op import Code, Op, Outputs, Port, Shape
from compiler.op.registry import register
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType


@register("adaptive_log_softmax_with_loss", torch="torch.nn.AdaptiveLogSoftmaxWithLoss")
class AdaptiveLogSoftmaxWithLoss(Op):
    """Output layer and loss for many classes, which must be sorted from frequent to rare.

    input float[N, D], target int[N] -> output float[N], the log-probability of the
    target, and `loss` float[], the mean of -output; N is optional. With `log_prob`,
    there is no target and the output is float[N, n_classes], the log-probabilities of
    all classes.

    The classes are split at the indices `cutoffs`: those below the first are computed by
    the head at full width, and those of cluster i = 1, 2, ... after it are projected to
    D // div_value^i features. Source: Grave et al., "Efficient softmax approximation for
    GPUs", 2017.
    """

    n_classes: Size
    cutoffs: Sizes
    div_value: Annotated[float, Field(ge=1.0)] = 4.0
    head_bias: bool = False
    log_prob: bool = False

    family = "activation"
    module = "AdaptiveLogSoftmax"
    library = "adaptive_log_softmax"
    positional = ("n_classes", "cutoffs")
    omitted = ("log_prob",)
    chains = False
    outputs = None
    inputs = (Port("input"), Port("target", ("int",), optional=True))

    def ports(self, count: int) -> tuple[str, ...]:
        return ("output",) if self.log_prob else ("output", "loss")

    def infer(
        self, ctx: Context, input: TensorType, target: TensorType | None = None
    ) -> Outputs:
        self._require_cutoffs(ctx)
        ctx.require_rank("input", input, *((2,) if self.log_prob else (1, 2)))
        self._require_width(ctx, input)
        if (target is None) != self.log_prob:
            message = f"{self.name} needs either a target or log_prob"
            raise errors.constraint(message, argument="log_prob")
        if target is None:
            return input.with_size(-1, self.n_classes)
        ctx.require_rank("target", target, input.rank - 1)
        for given, wanted in zip(target.shape, input.shape[:-1], strict=True):
            message = f"{self.name} needs one target for each input"
            ctx.require_equal(message, given, wanted, "target")
        return input.with_shape(*target.shape), TensorType("float", ())

    @flow_rule("other axes")
    def flow(self, call: FlowCall) -> tuple[Dependence, ...]:
        """An element reads its vector; `loss` is of all."""
        count = len(call["input"].axes)
        reason = "the classes are scored from T"
        flow = without(call["input"], {count - 1}, reason)
        if self.log_prob:
            return (with_axes(flow, [*range(count - 1), None]),)
        output, loss = call.outputs
        kept = with_axes(flow, list(range(count - 1))), output
        found = join(call, [kept, call.operand("target")], output)
        _, lost = unknown(call, "loss is the mean over T")
        return found, replace(lost, axes=(None,) * loss.rank)

    def _require_cutoffs(self, ctx: Context) -> None:
        if not self.cutoffs:
            message = "cutoffs needs at least one index"
            raise errors.constraint(message, argument="cutoffs")
        last = Dim.of(0)
        for cutoff in (*self.cutoffs, self.n_classes):
            if not ctx.at_least(cutoff - last, 1):
                message = "cutoffs must increase, and be below n_classes"
                raise errors.constraint(message, argument="cutoffs")
            last = cutoff

    def _require_width(self, ctx: Context, input: TensorType) -> None:
        """Check that each cluster has at least one feature; torch only warns if it has none."""
        width = ctx.constant(input.shape[-1], "the input's width")
        for part in range(len(self.cutoffs)):
            if width < self.div_value ** (part + 1):
                message = f"cluster {part + 1} would have no features: the input's width is {width}"
                raise errors.constraint(message, argument="div_value")

    def inferred(self, input: TensorType, **others: Any) -> dict[str, Dim]:
        return {"in_features": input.shape[-1]}

    def weights(self, input: TensorType, **others: Any) -> dict[str, Shape]:
        width, parts = input.shape[-1], len(self.cutoffs)
        head = self.cutoffs[0] + parts
        found: dict[str, Shape] = {"head.weight": (head, width)}
        if self.head_bias:
            found["head.bias"] = (head,)
        ends = (*self.cutoffs, self.n_classes)
        for part in range(parts):
            ratio = Fraction(self.div_value ** (part + 1))
            hidden = width * ratio.denominator // ratio.numerator
            found[f"tail.{part}.0.weight"] = (hidden, width)
            found[f"tail.{part}.1.weight"] = (ends[part + 1] - ends[part], hidden)
        return found

    def flops(
        self, outputs: tuple[TensorType, ...], input: TensorType, **others: Any
    ) -> Dim:
        """Every input is counted in every cluster, which is the cost of `log_prob`."""
        tensors = self.weights(input).values()
        matrices = (shape for shape in tensors if len(shape) == 2)
        rows = input.with_size(-1, 1).numel * 2
        return sum((rows * a * b for a, b in matrices), Dim.of(0))

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], **inputs: Any
    ) -> str:
        cutoffs = ", ".join(str(ctx.value(cutoff)) for cutoff in self.cutoffs)
        return f"{ctx.value(self.n_classes)} classes, cut at {cutoffs}"

    def apply(self, code: Code, input: Expr, target: Expr | None = None) -> Expr:
        if target is None:
            return method(code.module(), "log_prob", input)
        return call(code.module(), input, target)
