"""Elementwise activation functions; those along a dimension are in `softmax`."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from compiler.codegen.python import Expr, lit
from compiler.op import errors
from compiler.op.arg_types import Size
from compiler.op.context import Context
from compiler.op.op import NUMBER, Code, Colour, Port, Shape
from compiler.op.registry import register
from compiler.ops.pointwise import Elementwise, ToFloat
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType

COLOUR: Final[Colour] = "green"


class _Rectifier(Elementwise):
    """An activation that runs in place if nothing else needs its input: its gradient needs only the output."""

    inputs = (Port("input", NUMBER),)

    def keywords(self, code: Code) -> dict[str, Expr]:
        given = super().keywords(code)
        return given | ({"inplace": lit(True)} if code.spare("input") else {})


@register("relu", torch="torch.nn.ReLU")
class ReLU(_Rectifier):
    """max(x, 0): number[...] -> number[...]."""

    module = "nn.ReLU"
    function = typed_function = "F.relu"


@register("relu6", torch="torch.nn.ReLU6")
class ReLU6(_Rectifier):
    """min(max(x, 0), 6): number[...] -> number[...]."""

    module = "nn.ReLU6"
    function = "F.relu6"


@register("leaky_relu", torch="torch.nn.LeakyReLU")
class LeakyReLU(Elementwise):
    """x for x > 0, negative_slope * x otherwise: float[...] -> float[...]."""

    negative_slope: float = 0.01

    module = "nn.LeakyReLU"
    function = "F.leaky_relu"


@register("prelu", torch="torch.nn.PReLU")
class PReLU(Elementwise):
    """x for x > 0, a learned slope times x otherwise: float[N, C, ...] -> float[N, C, ...].

    There is one slope in all, or one per channel if num_parameters is C. Slopes are
    initialised to 0.25, or by the layer's `init`.
    """

    num_parameters: Size = Dim.of(1)

    module = "nn.PReLU"

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        if not ctx.is_one(self.num_parameters):
            ctx.require_least_rank("input", input, 2)
            message = "num_parameters must be 1 or the number of channels"
            ctx.require_equal(message, input.shape[1], self.num_parameters, "input")
        return input

    def weights(self, input: TensorType) -> dict[str, Shape]:
        return {"weight": (self.num_parameters,)}


@register("rrelu", torch="torch.nn.RReLU")
class RReLU(Elementwise):
    """Leaky ReLU with a random slope: float[...] -> float[...].

    In training, the slope is drawn from [lower, upper]; in evaluation, it is their
    mean.
    """

    lower: float = 1 / 8
    upper: float = 1 / 3

    module = "nn.RReLU"

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        if self.lower > self.upper:
            message = "lower must be at most upper"
            raise errors.constraint(message, argument="lower")
        return input


@register("elu", torch="torch.nn.ELU")
class ELU(Elementwise):
    """x for x > 0, alpha * (exp(x) - 1) otherwise: float[...] -> float[...]."""

    alpha: float = 1.0

    module = "nn.ELU"
    function = "F.elu"


@register("selu", torch="torch.nn.SELU")
class SELU(Elementwise):
    """Scaled ELU, with constants that preserve mean 0 and variance 1 across layers.

    float[...] -> float[...]. Source: Klambauer et al., "Self-Normalizing Neural
    Networks", 2017.
    """

    module = "nn.SELU"
    function = "F.selu"


@register("celu", torch="torch.nn.CELU")
class CELU(Elementwise):
    """max(x, 0) + min(0, alpha * (exp(x / alpha) - 1)): float[...] -> float[...]."""

    alpha: float = 1.0

    module = "nn.CELU"
    function = "F.celu"

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        if self.alpha == 0:
            raise errors.constraint("alpha must not be 0", argument="alpha")
        return input


@register("gelu", torch="torch.nn.GELU")
class GELU(Elementwise):
    """x Φ(x), where Φ is the standard normal CDF: float[...] -> float[...].

    `approximate: tanh` uses the tanh approximation.
    """

    approximate: Literal["none", "tanh"] = "none"

    module = "nn.GELU"
    function = typed_function = "F.gelu"


@register("silu", torch="torch.nn.SiLU")
class SiLU(Elementwise):
    """x sigmoid(x), also called swish: float[...] -> float[...]."""

    module = "nn.SiLU"
    function = typed_function = "F.silu"


@register("mish", torch="torch.nn.Mish")
class Mish(Elementwise):
    """x tanh(softplus(x)): float[...] -> float[...]."""

    module = "nn.Mish"
    function = "F.mish"


@register("softplus", torch="torch.nn.Softplus")
class Softplus(Elementwise):
    """log(1 + exp(beta * x)) / beta: float[...] -> float[...].

    Where beta * x is above `threshold`, the result is x itself, for numerical
    stability.
    """

    beta: float = 1.0
    threshold: float = 20.0

    module = "nn.Softplus"
    function = "F.softplus"


@register("softsign", torch="torch.nn.Softsign")
class Softsign(ToFloat):
    """x / (1 + |x|): number[...] -> float[...]."""

    module = "nn.Softsign"
    function = "F.softsign"
    inputs = (Port("input", NUMBER),)


@register("softshrink", torch="torch.nn.Softshrink")
class Softshrink(Elementwise):
    """Soft shrinkage: x - lambd for x > lambd, x + lambd for x < -lambd, 0 otherwise.

    float[...] -> float[...].
    """

    lambd: Annotated[float, Field(ge=0)] = 0.5

    module = "nn.Softshrink"
    function = "F.softshrink"


@register("hardshrink", torch="torch.nn.Hardshrink")
class Hardshrink(Elementwise):
    """x where |x| > lambd, 0 otherwise: float[...] -> float[...]."""

    lambd: float = 0.5

    module = "nn.Hardshrink"
    function = "F.hardshrink"


@register("tanhshrink", torch="torch.nn.Tanhshrink")
class Tanhshrink(ToFloat):
    """x - tanh(x): number[...] -> float[...]."""

    module = "nn.Tanhshrink"
    function = "F.tanhshrink"
    inputs = (Port("input", NUMBER),)


@register("hardtanh", torch="torch.nn.Hardtanh")
class Hardtanh(Elementwise):
    """min(max(x, min_val), max_val): number[...] -> number[...]."""

    min_val: float = -1.0
    max_val: float = 1.0

    module = "nn.Hardtanh"
    function = "F.hardtanh"
    inputs = (Port("input", NUMBER),)

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        # nn.Hardtanh requires min_val < max_val; F.hardtanh also accepts equal values.
        if self.min_val >= self.max_val:
            message = "min_val must be below max_val"
            raise errors.constraint(message, argument="min_val")
        return input


@register("hardsigmoid", torch="torch.nn.Hardsigmoid")
class Hardsigmoid(Elementwise):
    """min(max(x / 6 + 1/2, 0), 1): float[...] -> float[...]."""

    module = "nn.Hardsigmoid"
    function = "F.hardsigmoid"


@register("hardswish", torch="torch.nn.Hardswish")
class Hardswish(Elementwise):
    """x hardsigmoid(x): float[...] -> float[...]."""

    module = "nn.Hardswish"
    function = "F.hardswish"


@register("sigmoid", torch="torch.nn.Sigmoid")
class Sigmoid(ToFloat):
    """1 / (1 + exp(-x)): any[...] -> float[...]."""

    module = "nn.Sigmoid"
    function = "torch.sigmoid"


@register("logsigmoid", torch="torch.nn.LogSigmoid")
class LogSigmoid(Elementwise):
    """log(sigmoid(x)): float[...] -> float[...]."""

    module = "nn.LogSigmoid"
    function = "F.logsigmoid"


@register("tanh", torch="torch.nn.Tanh")
class Tanh(ToFloat):
    """Hyperbolic tangent: any[...] -> float[...]."""

    module = "nn.Tanh"
    function = "torch.tanh"


@register("threshold", torch="torch.nn.Threshold")
class Threshold(Elementwise):
    """x where x > threshold, `value` otherwise: number[...] -> number[...]."""

    threshold: float
    value: float

    module = "nn.Threshold"
    function = "F.threshold"
    inputs = (Port("input", NUMBER),)
