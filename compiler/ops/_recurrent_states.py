"""What recurrent networks and recurrent cells share: their weights, and their states."""

from __future__ import annotations

from compiler.codegen.python import (
    Compare,
    Conditional,
    Expr,
    Logic,
    Name,
    TupleExpr,
    lit,
)
from compiler.op import errors
from compiler.op.context import Context
from compiler.op.op import Code, Shape
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType


def cell_weights(
    gates: int, size: Dim, hidden: Dim, width: Dim, *, bias: bool
) -> dict[str, Shape]:
    """The weights of one recurrent layer in torch's order.

    `size` is the width of the layer's input, `width` that of its recurrent input (the
    previous output), `hidden` the number of units of each gate.
    """
    rows = hidden * gates
    matrices: dict[str, Shape] = {"weight_ih": (rows, size), "weight_hh": (rows, width)}
    return matrices | ({"bias_ih": (rows,), "bias_hh": (rows,)} if bias else {})


def require_states(
    ctx: Context,
    op: str,
    given: tuple[TensorType | None, TensorType | None],
    wanted: tuple[TensorType, TensorType],
) -> None:
    """Check that the hidden and the cell state are both absent, or both of the expected type."""
    if (given[0] is None) != (given[1] is None):
        missing = "hidden" if given[0] is None else "cell"
        raise errors.constraint(
            f"{op} needs both hidden and cell, or neither: {missing} is missing"
        )
    for port, state, expected in zip(("hidden", "cell"), given, wanted, strict=True):
        if state is not None:
            require_state(ctx, op, port, state, expected)


def require_state(
    ctx: Context, op: str, port: str, given: TensorType, wanted: TensorType
) -> None:
    """Check that an initial state has the shape of the state that the op returns."""
    ctx.require_rank(port, given, wanted.rank)
    for left, right in zip(given.shape, wanted.shape, strict=True):
        ctx.require_equal(f"{op} needs {port} of type {wanted}", left, right, port)


def state_argument(code: Code, hidden: Expr | None, cell: Expr | None) -> list[Expr]:
    """The argument `(hidden, cell)`, None at run time if either state is None; empty without states."""
    if hidden is None or cell is None:
        return []
    pair = TupleExpr((hidden, cell))
    tests: list[Expr] = [
        Compare("is", state, lit(None))
        for port, state in (("hidden", hidden), ("cell", cell))
        if code.optional(port)
    ]
    if not tests:
        return [pair]
    test = tests[0] if len(tests) == 1 else Logic("or", tuple(tests))
    return [Conditional(test, lit(None), pair)]


def state_targets(names: tuple[Expr, ...]) -> Expr:
    """The assignment target for the returned states; `_` if none of them is used."""
    unused = Name("_")
    return unused if all(name == unused for name in names) else TupleExpr(names)
