"""Integer division and remainders."""

from __future__ import annotations

from typing import ClassVar

from compiler.codegen.python import Binary, Expr, call
from compiler.op import errors
from compiler.op.context import Context
from compiler.op.flow_rules import pointwise
from compiler.op.op import NUMBER, Code, Port
from compiler.op.registry import register
from compiler.ops._tensor_or_scalar import TensorOrScalar
from compiler.symbolic.tensor import TensorType


class _Division(TensorOrScalar):
    """Base class: division by another tensor, or by a number."""

    sign: ClassVar[str] = ""

    inputs: ClassVar[tuple[Port, ...]] = (
        Port("input", NUMBER),
        Port("other", NUMBER, optional=True),
    )
    flow = pointwise

    def infer(
        self, ctx: Context, input: TensorType, other: TensorType | None
    ) -> TensorType:
        found = self.operand(ctx, input, other)
        if isinstance(self.value, bool):
            raise errors.constraint("value must be a number", argument="value")
        if found.kind == "int" and self.value == 0:
            raise errors.constraint(
                "an int input cannot be divided by 0", argument="value"
            )
        return found

    def label(
        self,
        ctx: Context,
        outputs: tuple[TensorType, ...],
        input: TensorType,
        other: TensorType | None,
    ) -> str:
        return self.value_label(self.sign or "by")

    def apply(self, code: Code, input: Expr, other: Expr | None) -> Expr:
        divisor = self.second(code, other)
        if self.sign:
            return Binary(self.sign, input, divisor)
        return call(f"torch.{self.name}", input, divisor)


@register("floor_divide", torch="torch.floor_divide")
class FloorDivide(_Division):
    """Quotient rounded down: number[...], number[...] -> number[...]; shapes broadcast.

    The divisor is `other` (a tensor) or `value` (a number).
    """

    sign = "//"


@register("remainder", torch="torch.remainder")
class Remainder(_Division):
    """Remainder of floor_divide, with the sign of the divisor.

    number[...], number[...] -> number[...]; shapes broadcast. The divisor is `other` (a
    tensor) or `value` (a number).
    """

    sign = "%"


@register("fmod", torch="torch.fmod")
class Fmod(_Division):
    """Remainder of division rounded towards zero, with the sign of the input.

    number[...], number[...] -> number[...]; shapes broadcast. The divisor is `other` (a
    tensor) or `value` (a number).
    """
