"""Base class of binary ops whose second operand is a tensor or a number."""

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
    """A binary op: the second operand is the input `other`, which broadcasts, or the number `value`."""

    value: bool | int | float | None = None

    inputs: ClassVar[tuple[Port, ...]] = (
        Port("input", ANY),
        Port("other", ANY, optional=True),
    )

    def operand(
        self, ctx: Context, input: TensorType, other: TensorType | None
    ) -> TensorType:
        """The type of both operands together: the broadcast shape and the promoted dtype.

        Raises:
            OpError: unless exactly one of `other` and `value` is given.
        """
        if (other is None) == (self.value is None):
            message = f"{self.name} needs either a second input or a value"
            raise errors.constraint(message, argument="value" if other else "")
        if other is None:
            return input.with_kind(promote((input.kind, kind_of(self.value))))
        shape = ctx.broadcast(self.name, {"input": input, "other": other})
        return TensorType(promote((input.kind, other.kind)), shape)

    def second(self, code: Code, other: Expr | None) -> Expr:
        """The expression for the second operand."""
        return code.argument("value") if other is None else other

    def value_label(self, sign: str) -> str:
        """The diagram label for `value`, such as `> 0.5`; empty if the operand is a tensor."""
        return "" if self.value is None else f"{sign} {self.value}"


def kind_of(value: bool | int | float | None) -> Kind:
    """The dtype of a number: bool, int or float."""
    if isinstance(value, bool):
        return "bool"
    return "int" if isinstance(value, int) else "float"
