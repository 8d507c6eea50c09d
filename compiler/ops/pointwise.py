"""Elementwise functions: exponentials, logarithms, roots, trigonometry and rounding."""

from __future__ import annotations

from dataclasses import replace

from compiler.codegen.python import Expr, call, method
from compiler.op import errors
from compiler.op.context import Context
from compiler.op.dependence import Dependence, Distance
from compiler.op.flow import FlowCall, flow_rule
from compiler.op.flow_rules import mapped, pointwise
from compiler.op.op import ANY, NUMBER, Code, Op, Port
from compiler.op.registry import register
from compiler.ops._known_values import exponential, joined_with, knowns
from compiler.ops._tensor_method import promote
from compiler.ops._tensor_or_scalar import kind_of
from compiler.symbolic.tensor import TensorType


class Elementwise(Op):
    """Base class: an elementwise function that keeps the type."""

    flow = pointwise

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        return input


class ToFloat(Elementwise):
    """Base class: an elementwise function whose result is float for any dtype."""

    inputs = (Port("input", ANY),)

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        return input.with_kind("float")


class _KeepsIntegers(Elementwise):
    """Base class: an elementwise function of numbers that keeps int as int."""

    inputs = (Port("input", NUMBER),)


@register("exp", torch="torch.exp")
class Exp(ToFloat):
    """e to the power of each element: any[...] -> float[...]."""

    function = "torch.exp"

    @flow_rule("pointwise")
    def flow(self, call: FlowCall) -> Dependence:
        """The exponential of -inf is 0."""
        (known,) = knowns(call)
        return joined_with(call, exponential(known))


@register("expm1", torch="torch.expm1")
class Expm1(ToFloat):
    """exp(x) - 1, accurate near 0: any[...] -> float[...]."""

    function = "torch.expm1"


@register("log", torch="torch.log")
class Log(ToFloat):
    """Natural logarithm: any[...] -> float[...]."""

    function = "torch.log"


@register("log1p", torch="torch.log1p")
class Log1p(ToFloat):
    """log(1 + x), accurate near 0: any[...] -> float[...]."""

    function = "torch.log1p"


@register("exp2", torch="torch.exp2")
class Exp2(ToFloat):
    """2 to the power of each element: any[...] -> float[...]."""

    function = "torch.exp2"


@register("log2", torch="torch.log2")
class Log2(ToFloat):
    """Logarithm to base 2: any[...] -> float[...]."""

    function = "torch.log2"


@register("log10", torch="torch.log10")
class Log10(ToFloat):
    """Logarithm to base 10: any[...] -> float[...]."""

    function = "torch.log10"


@register("sqrt", torch="torch.sqrt")
class Sqrt(ToFloat):
    """Square root: any[...] -> float[...]."""

    function = "torch.sqrt"


@register("rsqrt", torch="torch.rsqrt")
class Rsqrt(ToFloat):
    """1 / sqrt(x): any[...] -> float[...]."""

    function = "torch.rsqrt"


@register("reciprocal", torch="torch.reciprocal")
class Reciprocal(ToFloat):
    """1 / x: any[...] -> float[...]."""

    function = "torch.reciprocal"


@register("sin", torch="torch.sin")
class Sin(ToFloat):
    """Sine: any[...] -> float[...]."""

    function = "torch.sin"


@register("cos", torch="torch.cos")
class Cos(ToFloat):
    """Cosine: any[...] -> float[...]."""

    function = "torch.cos"


@register("tan", torch="torch.tan")
class Tan(ToFloat):
    """Tangent: any[...] -> float[...]."""

    function = "torch.tan"


@register("erf", torch="torch.erf")
class Erf(ToFloat):
    """Error function: any[...] -> float[...]."""

    function = "torch.erf"


@register("erfc", torch="torch.erfc")
class Erfc(ToFloat):
    """Complementary error function 1 - erf(x), accurate for large x: any[...] -> float[...]."""

    function = "torch.erfc"


@register("erfinv", torch="torch.erfinv")
class Erfinv(ToFloat):
    """Inverse error function, NaN outside [-1, 1]: any[...] -> float[...]."""

    function = "torch.erfinv"


@register("abs", torch="torch.abs")
class Abs(_KeepsIntegers):
    """Absolute value: number[...] -> number[...]."""

    function = "torch.abs"

    @flow_rule("pointwise")
    def flow(self, call: FlowCall) -> Dependence:
        """The absolute distance of positions."""
        (known,) = knowns(call)
        if isinstance(known, Distance):
            return joined_with(call, replace(known, absolute=True))
        return joined_with(call, mapped(known, abs))


@register("neg", torch="torch.neg")
class Neg(_KeepsIntegers):
    """-x: number[...] -> number[...]."""

    function = "torch.neg"


@register("sign", torch="torch.sign")
class Sign(_KeepsIntegers):
    """-1, 0 or 1, the sign of each element: number[...] -> number[...]."""

    function = "torch.sign"


@register("square", torch="torch.square")
class Square(_KeepsIntegers):
    """x²: number[...] -> number[...]."""

    function = "torch.square"


@register("floor", torch="torch.floor")
class Floor(_KeepsIntegers):
    """Rounds down to an integer: number[...] -> number[...]."""

    function = "torch.floor"


@register("ceil", torch="torch.ceil")
class Ceil(_KeepsIntegers):
    """Rounds up to an integer: number[...] -> number[...]."""

    function = "torch.ceil"


@register("trunc", torch="torch.trunc")
class Trunc(_KeepsIntegers):
    """Rounds towards zero: number[...] -> number[...]."""

    function = "torch.trunc"


@register("round", torch="torch.round")
class Round(_KeepsIntegers):
    """Rounds to the nearest integer, and halves to even: number[...] -> number[...]."""

    function = "torch.round"


@register("nan_to_num", torch="torch.nan_to_num")
class NanToNum(Elementwise):
    """Replaces NaN and infinities by numbers: float[...] -> float[...].

    `posinf` and `neginf` default to the largest and smallest finite value of the dtype.
    """

    nan: float = 0.0
    posinf: float | None = None
    neginf: float | None = None

    function = "torch.nan_to_num"


@register("clamp", torch="torch.clamp")
class Clamp(Elementwise):
    """Clamps each element to [min, max]; one of the bounds is optional: number[...] -> number[...].

    Each bound is a number, or an input of the same name, which broadcasts: `in: {input: x, min: low}`.
    """

    min: int | float | None = None
    max: int | float | None = None

    inputs = (
        Port("input", NUMBER),
        Port("min", NUMBER, optional=True),
        Port("max", NUMBER, optional=True),
    )

    def infer(
        self,
        ctx: Context,
        input: TensorType,
        min: TensorType | None = None,
        max: TensorType | None = None,
    ) -> TensorType:
        tensors = {k: v for k, v in (("min", min), ("max", max)) if v is not None}
        numbers = {k: v for k, v in self._numbers.items() if v is not None}
        if not tensors and not numbers:
            raise errors.constraint("clamp needs a min or a max")
        for key in tensors.keys() & numbers.keys():
            message = f"clamp has {key} as an input and as an argument"
            raise errors.constraint(message, argument=key)
        kinds = [input.kind, *(one.kind for one in tensors.values())]
        kinds += [kind_of(one) for one in numbers.values()]
        shape = ctx.broadcast("clamp", {"input": input, **tensors})
        return TensorType(promote(kinds), shape)

    @property
    def _numbers(self) -> dict[str, int | float | None]:
        return {"min": self.min, "max": self.max}

    def apply(
        self, code: Code, input: Expr, min: Expr | None, max: Expr | None
    ) -> Expr:
        tensors = {k: v for k, v in (("min", min), ("max", max)) if v is not None}
        numbers = {
            key: code.argument(key)
            for key, value in self._numbers.items()
            if value is not None
        }
        if not tensors or not numbers:
            return call("torch.clamp", input, **tensors, **numbers)
        return method(call("torch.clamp", input, **tensors), "clamp", **numbers)
