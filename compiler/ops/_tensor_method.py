"""What ops that are methods of a tensor share, and the dimensions that they name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from compiler.codegen.python import Expr, TupleExpr, method
from compiler.op import errors
from compiler.op.context import Context
from compiler.op.op import ANY, Code, Op, Port
from compiler.symbolic.tensor import KINDS, Kind


class TensorMethod(Op):
    """An op that is a method of its input: `x.mean(dim=1)`."""

    method: ClassVar[str]
    inputs: ClassVar[tuple[Port, ...]] = (Port("input", ANY),)

    def construct(self, code: Code, *args: Any, **inputs: Any) -> Expr | None:
        return None

    def apply(self, code: Code, *args: Any, **inputs: Any) -> Expr:
        (value,) = inputs.values()
        places = [code.argument(key) for key in self.positional]
        return method(value, self.method, *places, **self.keywords(code))


def wrap_axis(ctx: Context, axis: int, rank: int, argument: str = "dim") -> int:
    """A dimension's number counted from the front; a scalar counts as having one."""
    return ctx.axis(axis, max(rank, 1), argument)


def wrap_axes(
    ctx: Context, axes: Iterable[int] | None, rank: int, argument: str = "dim"
) -> frozenset[int]:
    """Distinct dimensions counted from the front; all of them where none is named."""
    named = list(axes or ())
    found = frozenset(wrap_axis(ctx, axis, rank, argument) for axis in named)
    if len(found) < len(named):
        raise errors.constraint(
            f"{argument} names a dimension twice", argument=argument
        )
    return found or frozenset(range(rank))


def promote(kinds: Iterable[Kind]) -> Kind:
    """The dtype kind that several become: float before int before bool."""
    return min(kinds, key=KINDS.index)


def shape_arguments(shape: Expr) -> tuple[Expr, ...]:
    """The sizes of a shape as arguments of their own: `x.reshape(n, -1)`."""
    return shape.items if isinstance(shape, TupleExpr) else (shape,)
