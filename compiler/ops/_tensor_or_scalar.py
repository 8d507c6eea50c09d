"""The second operand of an op: a tensor, or a number in its place."""

from __future__ import annotations

from typing import ClassVar

from compiler.codegen.python import Expr
from compiler.op import errors
from compiler.op.context import Context
from compiler.op.op import ANY, Code, Op, Port
from compiler.ops._tensor_method import promote
from compiler.symbolic.tensor import Kind, TensorType

Number = int | float


class TensorOrScalar(Op):
    """An op of a tensor and either another one that broadcasts, or `value`."""

    value: bool | int | float | None = None

    inputs: ClassVar[tuple[Port, ...]] = (
        Port("input", ANY),
        Port("other", ANY, optional=True),
    )

    def operand(
        self, ctx: Context, input: TensorType, other: TensorType | None
    ) -> TensorType:
        """Both as one: the shape that they broadcast to, of the kind that they become.

        Raises:
            OpError: where there is no second operand, or more than one.
        """
        if (other is None) == (self.value is None):
            message = f"{self.name} needs either another input or a value"
            raise errors.constraint(message, argument="value" if other else "")
        if other is None:
            return input.with_kind(promote((input.kind, kind_of(self.value))))
        shape = ctx.broadcast(self.name, {"input": input, "other": other})
        return TensorType(promote((input.kind, other.kind)), shape)

    def second(self, code: Code, other: Expr | None) -> Expr:
        """The code of the second operand."""
        return code.argument("value") if other is None else other

    def value_label(self, sign: str) -> str:
        """What a diagram says of the value, where there is one: `> 0.5`."""
        return "" if self.value is None else f"{sign} {self.value}"


def kind_of(value: bool | int | float | None) -> Kind:
    """The dtype kind of a number."""
    if isinstance(value, bool):
        return "bool"
    return "int" if isinstance(value, int) else "float"
