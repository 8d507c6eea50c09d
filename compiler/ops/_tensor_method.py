"""Base class of ops that are methods of a tensor, and functions that resolve dimension numbers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from compiler.codegen.python import Expr, TupleExpr, method
from compiler.op import errors
from compiler.op.context import Context
from compiler.op.op import ANY, Code, Op, Port
from compiler.symbolic.tensor import KINDS, Kind


class TensorMethod(Op):
    """An op that compiles to a method call on its input: `x.mean(dim=1)`."""

    method: ClassVar[str]
    inputs: ClassVar[tuple[Port, ...]] = (Port("input", ANY),)

    def construct(self, code: Code, *args: Any, **inputs: Any) -> Expr | None:
        return None

    def apply(self, code: Code, *args: Any, **inputs: Any) -> Expr:
        (value,) = inputs.values()
        positional = [code.argument(key) for key in self.positional]
        return method(value, self.method, *positional, **self.keywords(code))


def wrap_axis(ctx: Context, axis: int, rank: int, argument: str = "dim") -> int:
    """A dimension number as a non-negative index; a scalar counts as one dimension, as in torch."""
    return ctx.axis(axis, max(rank, 1), argument)


def wrap_axes(
    ctx: Context, axes: Iterable[int] | None, rank: int, argument: str = "dim"
) -> frozenset[int]:
    """Distinct dimension numbers as non-negative indices; all dimensions if none is given."""
    named = list(axes or ())
    found = frozenset(wrap_axis(ctx, axis, rank, argument) for axis in named)
    if len(found) < len(named):
        raise errors.constraint(
            f"{argument} has a repeated dimension", argument=argument
        )
    return found or frozenset(range(rank))


def promote(kinds: Iterable[Kind]) -> Kind:
    """The dtype that several dtypes promote to: float over int over bool."""
    return min(kinds, key=KINDS.index)


def list_argument(code: Code, op: Op, name: str) -> Expr:
    """An argument that torch takes as a list only."""
    given = code.argument(name)
    return TupleExpr((given,)) if len(getattr(op, name)) == 1 else given


def shape_arguments(shape: Expr) -> tuple[Expr, ...]:
    """The sizes of a shape as separate arguments: `x.reshape(n, -1)`."""
    return shape.items if isinstance(shape, TupleExpr) else (shape,)
