"""Random numbers in the shape of a tensor; they are drawn anew at every run."""

from __future__ import annotations

from compiler.codegen.python import Binary, Conditional, Expr, call, lit
from compiler.op.context import Context
from compiler.op.op import Code, Op, Port
from compiler.op.registry import register
from compiler.symbolic.tensor import TensorType


class _RandomLike(Op):
    """What the ops share that draw a number for each element of their input."""

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        return input


@register("randn_like", torch="torch.randn_like")
class RandnLike(_RandomLike):
    """Noise of a standard normal distribution, in the shape of the input.

    float[...] -> float[...]
    """

    function = "torch.randn_like"


@register("rand_like", torch="torch.rand_like")
class RandLike(_RandomLike):
    """Noise that is uniform from 0 to 1, in the shape of the input.

    float[...] -> float[...]
    """

    function = "torch.rand_like"


@register("bernoulli", torch="torch.bernoulli")
class Bernoulli(_RandomLike):
    """1.0 with the probability that the input gives, else 0.0: float[...] -> float[...].

    Nothing is learned through it.
    """

    function = "torch.bernoulli"


@register("reparameterize", torch="")
class Reparameterize(Op):
    """A draw from a normal distribution that learns through it; the mean in evaluation.

    float[...], float[...] -> float[...]: mean + exp(log_variance / 2) · noise. Source:
    Kingma and Welling, "Auto-Encoding Variational Bayes", 2013, section 2.4.
    """

    inputs = (Port("mean"), Port("log_variance"))

    def infer(
        self, ctx: Context, mean: TensorType, log_variance: TensorType
    ) -> TensorType:
        message = "reparameterize needs a mean and a log_variance of one shape"
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
