"""Arithmetic of tensors that broadcast, and of a tensor and a constant."""

from __future__ import annotations

import math
from typing import Any, ClassVar, Literal

from compiler.codegen.python import (
    Binary,
    Expr,
    Slice,
    Starred,
    call,
    lit,
    subscript,
)
from compiler.op import errors
from compiler.op.context import Context
from compiler.op.dependence import Dependence, Fill
from compiler.op.flow import FlowCall, flow_rule
from compiler.op.flow_rules import intersected, pointwise
from compiler.op.op import ANY, NUMBER, Code, Op, Port
from compiler.op.registry import register
from compiler.ops._known_values import (
    difference,
    joined_with,
    knowns,
    negative,
    product_of,
    sum_of,
    times,
)
from compiler.ops._tensor_method import promote
from compiler.symbolic.tensor import Kind, TensorType

Number = int | float

_MAX_OPERANDS = 64
"""The largest number of operands in one line of code: Python cannot compile a sum of thousands."""


class VariadicOp(Op):
    """Base class: two or more tensors that broadcast, joined by an operator."""

    operator: ClassVar[str]
    inputs: ClassVar[tuple[Port, ...]] = (Port("inputs", ANY, variadic=True),)
    least_inputs = 2

    def infer(self, ctx: Context, inputs: tuple[TensorType, ...]) -> TensorType:
        if len(inputs) < self.least_inputs:
            raise errors.constraint(f"{self.name} needs at least two inputs")
        tensors = {str(i): tensor for i, tensor in enumerate(inputs)}
        kind = promote(tensor.kind for tensor in inputs)
        return TensorType(kind, ctx.broadcast(self.name, tensors))

    def apply(self, code: Code, inputs: tuple[Expr, ...]) -> Expr:
        total = inputs[0]
        for i, value in enumerate(inputs[1:], 1):
            if i % _MAX_OPERANDS == 0:
                total = code.let(total)
            total = Binary(self.operator, total, value)
        return total


@register("add", torch="torch.add")
class Add(VariadicOp):
    """x₁ + x₂ + ...: any[...], any[...], ... -> any[...]; shapes broadcast. For bools, logical or."""

    operator = "+"
    symbol = "+"
    fresh = True
    takes_lists = True

    def apply(self, code: Code, inputs: tuple[Expr, ...]) -> Expr:
        if not any(isinstance(value, Starred) for value in inputs):
            return super().apply(code, inputs)
        first, *rest = inputs
        total = first
        if isinstance(first, Starred):
            others = subscript(first.value, Slice(lit(1)))
            total = call("sum", others, start=subscript(first.value, 0))
        for value in rest:
            total = (
                call("sum", value.value, start=total)
                if isinstance(value, Starred)
                else Binary(self.operator, total, value)
            )
        return total

    @flow_rule("pointwise")
    def flow(self, call: FlowCall) -> Dependence:
        """Where a summand is -inf, the sum is: masked scores stay masked."""
        return joined_with(call, sum_of(knowns(call)))


@register("mul", torch="torch.mul")
class Mul(VariadicOp):
    """x₁ x₂ ...: any[...], any[...], ... -> any[...]; shapes broadcast. For bools, logical and."""

    operator = "*"
    symbol = "×"

    @flow_rule("pointwise")
    def flow(self, call: FlowCall) -> Dependence:
        """Where a factor is 0, the product is."""
        return joined_with(call, product_of(knowns(call)))


class BinaryOp(Op):
    """Base class: two tensors that broadcast."""

    operator: ClassVar[str] = ""
    inputs: ClassVar[tuple[Port, ...]] = (Port("input", ANY), Port("other", ANY))
    flow = pointwise

    def infer(self, ctx: Context, input: TensorType, other: TensorType) -> TensorType:
        shape = ctx.broadcast(self.name, {"input": input, "other": other})
        return TensorType(self.kind(input.kind, other.kind), shape)

    def kind(self, left: Kind, right: Kind) -> Kind:
        """The dtype of the result."""
        return promote((left, right))

    def apply(self, code: Code, *args: Any, **inputs: Any) -> Expr:
        if self.operator:
            return Binary(self.operator, *inputs.values())
        return call(self.function, *inputs.values())


@register("sub", torch="torch.sub")
class Sub(BinaryOp):
    """input - other: number[...], number[...] -> number[...]; shapes broadcast."""

    inputs = (Port("input", NUMBER), Port("other", NUMBER))

    operator = "-"
    symbol = "−"
    fresh = True

    @flow_rule("pointwise")
    def flow(self, call: FlowCall) -> Dependence:
        """The difference of positions along two axes is a distance."""
        return joined_with(call, difference(*knowns(call)))


@register("div", torch="torch.div")
class Div(BinaryOp):
    """input / other: any[...], any[...] -> float[...]; shapes broadcast.

    With a `rounding_mode`, the quotient is rounded: down (`floor`) or towards zero (`trunc`), and ints stay ints.
    """

    rounding_mode: Literal["floor", "trunc"] | None = None

    operator = "/"
    symbol = "÷"

    def kind(self, left: Kind, right: Kind) -> Kind:
        return "float" if self.rounding_mode is None else promote((left, right, "int"))

    def apply(self, code: Code, input: Expr, other: Expr) -> Expr:
        if self.rounding_mode is None:
            return super().apply(code, input=input, other=other)
        mode = code.argument("rounding_mode")
        return call("torch.div", input, other, rounding_mode=mode)

    @flow_rule("pointwise")
    def flow(self, call: FlowCall) -> Dependence:
        """Divided by a constant, masked scores stay masked."""
        if self.rounding_mode is not None:
            return joined_with(call, None)
        left, right = knowns(call)
        factor = 1 / right.value if isinstance(right, Fill) and right.value else 0.0
        zeros = intersected([left], 0.0)
        return joined_with(call, zeros or times(left, factor))


@register("maximum", torch="torch.maximum")
class Maximum(BinaryOp):
    """Elementwise maximum: any[...], any[...] -> any[...]; shapes broadcast."""

    function = "torch.maximum"
    flow = pointwise


@register("minimum", torch="torch.minimum")
class Minimum(BinaryOp):
    """Elementwise minimum: any[...], any[...] -> any[...]; shapes broadcast."""

    function = "torch.minimum"
    flow = pointwise


@register("logaddexp", torch="torch.logaddexp")
class Logaddexp(BinaryOp):
    """log(exp(input) + exp(other)) without overflow: float[...], float[...] -> float[...]; shapes broadcast."""

    function = "torch.logaddexp"
    inputs = (Port("input"), Port("other"))


@register("lerp", torch="torch.lerp")
class Lerp(Op):
    """input + weight * (end - input): float[...], float[...] -> float[...]; shapes broadcast."""

    weight: float

    function = "torch.lerp"
    positional = ("weight",)
    inputs = (Port("input"), Port("end"))
    flow = pointwise

    def infer(self, ctx: Context, input: TensorType, end: TensorType) -> TensorType:
        return input.with_shape(*ctx.broadcast("lerp", {"input": input, "end": end}))

    def label(
        self,
        ctx: Context,
        outputs: tuple[TensorType, ...],
        input: TensorType,
        end: TensorType,
    ) -> str:
        return f"{self.weight:g}"


class _WithConstant(Op):
    """Base class: a tensor and a constant; the result is float if either is float."""

    inputs: ClassVar[tuple[Port, ...]] = (Port("input", NUMBER),)
    flow = pointwise

    def number(self) -> Number:
        """The constant that decides whether an int input stays int."""
        raise TypeError(f"{type(self).__name__} names no number")

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        return input if isinstance(self.number(), int) else input.with_kind("float")


@register("shift", torch="torch.add")
class Shift(_WithConstant):
    """input + value: number[...] -> number[...]."""

    value: Number

    def number(self) -> Number:
        return self.value

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        return f"{self.value:+g}"

    def apply(self, code: Code, input: Expr) -> Expr:
        return Binary("+", input, code.argument("value"))

    @flow_rule("pointwise")
    def flow(self, call: FlowCall) -> Dependence:
        """Positions and constants, moved by a number."""
        return joined_with(call, sum_of([*knowns(call), Fill(float(self.value))]))


@register("rsub", torch="torch.rsub")
class Rsub(_WithConstant):
    """value - input, such as 1 - gate: number[...] -> number[...]."""

    value: Number = 1

    def number(self) -> Number:
        return self.value

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        return f"{self.value:g} - x"

    def apply(self, code: Code, input: Expr) -> Expr:
        return Binary("-", code.argument("value"), input)

    @flow_rule("pointwise")
    def flow(self, call: FlowCall) -> Dependence:
        """A number minus positions or constants."""
        (known,) = knowns(call)
        return joined_with(call, sum_of([negative(known), Fill(float(self.value))]))


@register("scale", torch="torch.mul")
class Scale(_WithConstant):
    """input * factor ** exponent: number[...] -> number[...].

    The exponent is for factors that depend on a width: `exponent: 0.5` scales by the
    square root of the factor, -0.5 by its inverse.
    """

    factor: Number
    exponent: float = 1.0

    def number(self) -> Number:
        return self.factor if self.exponent == 1 else self.exponent

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        try:
            math.pow(self.factor, self.exponent)
        except (ValueError, OverflowError):
            power = f"{self.factor:g} ** {self.exponent:g}"
            raise errors.constraint(
                f"{power} is not a finite real number", argument="factor"
            ) from None
        return super().infer(ctx, input)

    @flow_rule("pointwise")
    def flow(self, call: FlowCall) -> Dependence:
        """Scaled by a number, masked scores stay masked."""
        (known,) = knowns(call)
        return joined_with(call, times(known, math.pow(self.factor, self.exponent)))

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        if self.factor == 1:
            return "× 1"
        if abs(self.exponent) == 0.5:
            return f"{'×' if self.exponent > 0 else '÷'} √{self.factor:g}"
        power = "" if self.exponent == 1 else f" to the power {self.exponent:g}"
        return f"× {self.factor:g}{power}"

    def apply(self, code: Code, input: Expr) -> Expr:
        factor = code.argument("factor")
        if abs(self.exponent) == 0.5:
            operator = "*" if self.exponent > 0 else "/"
            return Binary(operator, input, call("math.sqrt", factor))
        if self.exponent != 1:
            factor = call("math.pow", factor, code.argument("exponent"))
        return Binary("*", input, factor)


@register("pow", torch="torch.pow")
class Pow(Op):
    """input ** exponent, elementwise: number[...] -> number[...].

    The exponent is a number, or an input `exponent`, which broadcasts.
    """

    exponent: Number | None = None

    inputs = (Port("input", NUMBER), Port("exponent", NUMBER, optional=True))
    flow = pointwise

    def infer(
        self, ctx: Context, input: TensorType, exponent: TensorType | None = None
    ) -> TensorType:
        if (exponent is None) == (self.exponent is None):
            message = "pow needs an exponent: a number, or a second input"
            raise errors.constraint(message, argument="exponent" if exponent else "")
        if exponent is not None:
            shape = ctx.broadcast("pow", {"input": input, "exponent": exponent})
            return TensorType(promote((input.kind, exponent.kind)), shape)
        if input.kind == "int" and isinstance(self.exponent, int) and self.exponent < 0:
            raise errors.constraint(
                "an int input cannot have a negative int exponent",
                argument="exponent",
                help="write the exponent as a float: -1.0",
            )
        whole = isinstance(self.exponent, int)
        return input if whole else input.with_kind("float")

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], **inputs: Any
    ) -> str:
        return "" if self.exponent is None else f"** {self.exponent:g}"

    def apply(self, code: Code, input: Expr, exponent: Expr | None) -> Expr:
        power = code.argument("exponent") if exponent is None else exponent
        return Binary("**", input, power)
