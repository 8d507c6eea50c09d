"""Elementwise comparisons, logical operations, `where`, and tests for NaN and infinity."""

from __future__ import annotations

from typing import ClassVar

from compiler.codegen.python import Compare, Expr, call
from compiler.op.context import Context
from compiler.op.dependence import Dependence
from compiler.op.flow import FlowCall, flow_rule
from compiler.op.flow_rules import intersected, pointwise
from compiler.op.op import ANY, Code, Op, Port
from compiler.op.registry import register
from compiler.ops._known_values import as_fill, chosen, compared, joined_with, knowns
from compiler.ops._tensor_or_scalar import TensorOrScalar
from compiler.ops.arithmetic import VariadicOp
from compiler.symbolic.tensor import TensorType


class _Comparison(TensorOrScalar):
    """Base class: compares each element with one of another tensor, or with a number."""

    sign: ClassVar[str]

    def infer(
        self, ctx: Context, input: TensorType, other: TensorType | None
    ) -> TensorType:
        return self.operand(ctx, input, other).with_kind("bool")

    @flow_rule("pointwise")
    def flow(self, call: FlowCall) -> Dependence:
        """Positions along one axis, compared with those along another, are a mask."""
        left, *rest = knowns(call)
        right = rest[0] if rest else as_fill(self.value)
        return joined_with(call, compared(self.sign, left, right))

    def label(
        self,
        ctx: Context,
        outputs: tuple[TensorType, ...],
        input: TensorType,
        other: TensorType | None,
    ) -> str:
        return self.value_label(self.sign)

    def apply(self, code: Code, input: Expr, other: Expr | None) -> Expr:
        return Compare(self.sign, input, self.second(code, other))


@register("eq", torch="torch.eq")
class Eq(_Comparison):
    """input == other, or input == value: any[...], any[...] -> bool[...]; shapes broadcast."""

    sign = "=="


@register("ne", torch="torch.ne")
class Ne(_Comparison):
    """input != other, or input != value: any[...], any[...] -> bool[...]; shapes broadcast."""

    sign = "!="


@register("lt", torch="torch.lt")
class Lt(_Comparison):
    """input < other, or input < value: any[...], any[...] -> bool[...]; shapes broadcast."""

    sign = "<"


@register("le", torch="torch.le")
class Le(_Comparison):
    """input <= other, or input <= value: any[...], any[...] -> bool[...]; shapes broadcast."""

    sign = "<="


@register("gt", torch="torch.gt")
class Gt(_Comparison):
    """input > other, or input > value: any[...], any[...] -> bool[...]; shapes broadcast."""

    sign = ">"


@register("ge", torch="torch.ge")
class Ge(_Comparison):
    """input >= other, or input >= value: any[...], any[...] -> bool[...]; shapes broadcast."""

    sign = ">="


class _Logical(VariadicOp):
    """Base class: two or more bool tensors that broadcast."""

    inputs: ClassVar[tuple[Port, ...]] = (Port("inputs", ("bool",), variadic=True),)


@register("logical_and", torch="torch.logical_and")
class LogicalAnd(_Logical):
    """True where all inputs are: bool[...], bool[...], ... -> bool[...]; shapes broadcast."""

    operator = "&"
    symbol = "&"

    @flow_rule("pointwise")
    def flow(self, call: FlowCall) -> Dependence:
        """False where one input is: masks intersect."""
        return joined_with(call, intersected(knowns(call), 0.0))


@register("logical_or", torch="torch.logical_or")
class LogicalOr(_Logical):
    """True where any input is: bool[...], bool[...], ... -> bool[...]; shapes broadcast."""

    operator = "|"
    symbol = "|"

    @flow_rule("pointwise")
    def flow(self, call: FlowCall) -> Dependence:
        """True where one input is: what they block adds up."""
        return joined_with(call, intersected(knowns(call), 1.0))


@register("logical_xor", torch="torch.logical_xor")
class LogicalXor(_Logical):
    """True where an odd number of inputs is: bool[...], bool[...], ... -> bool[...]; shapes broadcast."""

    operator = "^"
    symbol = "^"
    flow = pointwise


@register("where", torch="torch.where")
class Where(TensorOrScalar):
    """`input` where the condition is True, else `other` (a tensor) or `value` (a number).

    bool[...], any[...], any[...] -> any[...]; shapes broadcast.
    """

    inputs = (Port("condition", ("bool",)), *TensorOrScalar.inputs)

    def infer(
        self,
        ctx: Context,
        condition: TensorType,
        input: TensorType,
        other: TensorType | None,
    ) -> TensorType:
        both = self.operand(ctx, input, other)
        last = "other" if other else "input"
        pair = {"condition": condition, last: both}
        return both.with_shape(*ctx.broadcast("where", pair))

    @flow_rule("pointwise")
    def flow(self, call: FlowCall) -> Dependence:
        """Outside a mask, the value of one of the two."""
        condition, taken, *rest = knowns(call)
        other = rest[0] if rest else as_fill(self.value)
        return joined_with(call, chosen(condition, taken, other))

    def label(
        self,
        ctx: Context,
        outputs: tuple[TensorType, ...],
        condition: TensorType,
        input: TensorType,
        other: TensorType | None,
    ) -> str:
        return self.value_label("else")

    def apply(
        self, code: Code, condition: Expr, input: Expr, other: Expr | None
    ) -> Expr:
        return call("torch.where", condition, input, self.second(code, other))


class _ElementTest(Op):
    """Base class: tests each element."""

    inputs: ClassVar[tuple[Port, ...]] = (Port("input", ANY),)
    flow = pointwise

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        return input.with_kind("bool")


@register("isnan", torch="torch.isnan")
class Isnan(_ElementTest):
    """True where an element is NaN: any[...] -> bool[...]."""

    function = "torch.isnan"


@register("isinf", torch="torch.isinf")
class Isinf(_ElementTest):
    """True where an element is infinite: any[...] -> bool[...]."""

    function = "torch.isinf"


@register("isfinite", torch="torch.isfinite")
class Isfinite(_ElementTest):
    """True where an element is neither infinite nor NaN: any[...] -> bool[...]."""

    function = "torch.isfinite"
