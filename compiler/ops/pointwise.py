"""Functions of each element: exponentials, roots, trigonometry, rounding."""

from __future__ import annotations

from compiler.op import errors
from compiler.op.context import Context
from compiler.op.op import ANY, NUMBER, Op, Port
from compiler.op.registry import register
from compiler.symbolic.tensor import TensorType


class Elementwise(Op):
    """A function of each element that keeps the type."""

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        return input


class ToFloat(Elementwise):
    """A function of each element that gives floats, whatever it is given."""

    inputs = (Port("input", ANY),)

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        return input.with_kind("float")


class _KeepsIntegers(Elementwise):
    """A function of each number that keeps integers integers."""

    inputs = (Port("input", NUMBER),)


@register("exp", torch="torch.exp")
class Exp(ToFloat):
    """e to the power of each element: number[...] -> float[...]."""

    function = "torch.exp"


@register("expm1", torch="torch.expm1")
class Expm1(ToFloat):
    """exp(x) - 1, exact near 0: number[...] -> float[...]."""

    function = "torch.expm1"


@register("log", torch="torch.log")
class Log(ToFloat):
    """The natural logarithm: number[...] -> float[...]."""

    function = "torch.log"


@register("log1p", torch="torch.log1p")
class Log1p(ToFloat):
    """log(1 + x), exact near 0: number[...] -> float[...]."""

    function = "torch.log1p"


@register("exp2", torch="torch.exp2")
class Exp2(ToFloat):
    """2 to the power of each element: number[...] -> float[...]."""

    function = "torch.exp2"


@register("log2", torch="torch.log2")
class Log2(ToFloat):
    """The logarithm to the base 2: number[...] -> float[...]."""

    function = "torch.log2"


@register("log10", torch="torch.log10")
class Log10(ToFloat):
    """The logarithm to the base 10: number[...] -> float[...]."""

    function = "torch.log10"


@register("sqrt", torch="torch.sqrt")
class Sqrt(ToFloat):
    """The square root: number[...] -> float[...]."""

    function = "torch.sqrt"


@register("rsqrt", torch="torch.rsqrt")
class Rsqrt(ToFloat):
    """1 / sqrt(x): number[...] -> float[...]."""

    function = "torch.rsqrt"


@register("reciprocal", torch="torch.reciprocal")
class Reciprocal(ToFloat):
    """1 / x: number[...] -> float[...]."""

    function = "torch.reciprocal"


@register("sin", torch="torch.sin")
class Sin(ToFloat):
    """The sine: number[...] -> float[...]."""

    function = "torch.sin"


@register("cos", torch="torch.cos")
class Cos(ToFloat):
    """The cosine: number[...] -> float[...]."""

    function = "torch.cos"


@register("tan", torch="torch.tan")
class Tan(ToFloat):
    """The tangent: number[...] -> float[...]."""

    function = "torch.tan"


@register("erf", torch="torch.erf")
class Erf(ToFloat):
    """The error function of Gauss: number[...] -> float[...]."""

    function = "torch.erf"


@register("erfc", torch="torch.erfc")
class Erfc(ToFloat):
    """1 - erf(x), exact where that is small: number[...] -> float[...]."""

    function = "torch.erfc"


@register("erfinv", torch="torch.erfinv")
class Erfinv(ToFloat):
    """The x of which erf is the input, no number beyond ±1: number[...] -> float[...]."""

    function = "torch.erfinv"


@register("abs", torch="torch.abs")
class Abs(_KeepsIntegers):
    """The absolute value: number[...] -> the same."""

    function = "torch.abs"


@register("neg", torch="torch.neg")
class Neg(_KeepsIntegers):
    """-x: number[...] -> the same."""

    function = "torch.neg"


@register("sign", torch="torch.sign")
class Sign(_KeepsIntegers):
    """-1, 0 or 1: number[...] -> the same."""

    function = "torch.sign"


@register("square", torch="torch.square")
class Square(_KeepsIntegers):
    """x²: number[...] -> the same."""

    function = "torch.square"


@register("floor", torch="torch.floor")
class Floor(_KeepsIntegers):
    """The greatest integer that is not above x: number[...] -> the same."""

    function = "torch.floor"


@register("ceil", torch="torch.ceil")
class Ceil(_KeepsIntegers):
    """The least integer that is not below x: number[...] -> the same."""

    function = "torch.ceil"


@register("trunc", torch="torch.trunc")
class Trunc(_KeepsIntegers):
    """The integer between x and 0 next to x: number[...] -> the same."""

    function = "torch.trunc"


@register("round", torch="torch.round")
class Round(_KeepsIntegers):
    """The nearest integer, the even one of two: number[...] -> the same."""

    function = "torch.round"


@register("nan_to_num", torch="torch.nan_to_num")
class NanToNum(Elementwise):
    """Numbers in place of nan and of the infinities: float[...] -> float[...].

    Left out, those of the infinities are the greatest and the smallest float.
    """

    nan: float = 0.0
    posinf: float | None = None
    neginf: float | None = None

    function = "torch.nan_to_num"


@register("clamp", torch="torch.clamp")
class Clamp(Elementwise):
    """Each element brought between min and max: float[...] -> float[...]."""

    min: float | None = None
    max: float | None = None

    function = "torch.clamp"

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        if self.min is None and self.max is None:
            raise errors.constraint("clamp needs a min or a max")
        return input
