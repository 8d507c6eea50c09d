"""Random tensors of the shape of an input, sampled anew in each forward pass."""

from __future__ import annotations

from compiler.codegen.python import Binary, Conditional, Expr, call, lit
from compiler.op.context import Context
from compiler.op.flow_rules import pointwise
from compiler.op.op import Code, Op, Port
from compiler.op.registry import register
from compiler.symbolic.tensor import TensorType


class _RandomLike(Op):
    """Base class: one random number per element of the input."""

    flow = pointwise

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        return input


@register("randn_like", torch="torch.randn_like")
class RandnLike(_RandomLike):
    """Standard normal noise in the shape of the input: float[...] -> float[...]."""

    function = "torch.randn_like"


@register("rand_like", torch="torch.rand_like")
class RandLike(_RandomLike):
    """Uniform noise in [0, 1) in the shape of the input: float[...] -> float[...]."""

    function = "torch.rand_like"


@register("bernoulli", torch="torch.bernoulli")
class Bernoulli(_RandomLike):
    """1.0 with the probability given by the input, else 0.0: float[...] -> float[...].

    It has no gradient.
    """

    function = "torch.bernoulli"


@register("reparameterize", torch="")
class Reparameterize(Op):
    """Reparameterised sample of a normal distribution; its mean in evaluation.

    float[...], float[...] -> float[...]: mean + exp(log_variance / 2) * noise. Source:
    Kingma and Welling, "Auto-Encoding Variational Bayes", 2013, section 2.4.
    """

    inputs = (Port("mean"), Port("log_variance"))
    flow = pointwise

    def infer(
        self, ctx: Context, mean: TensorType, log_variance: TensorType
    ) -> TensorType:
        message = "reparameterize needs mean and log_variance of the same shape"
        ctx.require_rank("log_variance", log_variance, mean.rank)
        for left, right in zip(mean.shape, log_variance.shape, strict=True):
            ctx.require_equal(message, left, right, "log_variance")
        return mean

    def apply(self, code: Code, mean: Expr, log_variance: Expr) -> Expr:
        shape = code.type("mean").shape
        half = Binary("*", lit(0.5), log_variance)
        deviation = code.let(call("torch.exp", half), shape, "deviation")
        noise = Binary("*", deviation, call("torch.randn_like", deviation))
        return Conditional(code.training, Binary("+", mean, noise), mean)
