"""Bind the typed inputs of a block to the types of a call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from compiler.dataclass import dataclass
from compiler.expr.syntax import Expression, Variable, unparse
from compiler.op import errors
from compiler.op.context import Context
from compiler.op.errors import OpError
from compiler.symbolic.dims import Dim
from compiler.symbolic.evaluate import ExpressionError, Value, evaluate
from compiler.symbolic.symbol_table import SymbolTable
from compiler.symbolic.symbols import EllipsisDim, InputDim, Owner, Symbol
from compiler.symbolic.tensor import TensorType, TypePattern


@dataclass
class Match:
    """What binding found: for each symbol the size in the caller, and its value; the types seen inside."""

    binding: dict[Symbol, Dim] = field(default_factory=dict)
    hints: dict[Symbol, Dim] = field(default_factory=dict)
    rest: tuple[Dim, ...] | None = None
    """The values of the dimensions that the first `...` stands for."""


class Matcher:
    """Binds the patterns of one call of a block, the `owner` of their dimensions.

    `params` are names that are no dimensions: they are checked, not bound.
    """

    def __init__(
        self, caller: Context, owner: Owner, params: Mapping[str, object]
    ) -> None:
        self.caller, self.owner, self.params = caller, owner, params
        self.match = Match()
        self._pending: list[tuple[str, Expression, Dim, TensorType, TypePattern]] = []
        self._shapes: dict[str, list[Expression | Dim]] = {}

    def bind(self, port: str, pattern: TypePattern, actual: TensorType) -> None:
        """Bind the symbols of one input that stand alone; keep the formulas for `check`."""
        if actual.kind != pattern.kind:
            raise errors.kind_mismatch(port, actual, [pattern.kind])
        parts = self._align(port, pattern, actual)
        self._shapes[port] = [
            expr if expr is not None else size for expr, size in parts
        ]
        for expr, size in parts:
            if expr is not None:
                self._bind_dim(port, expr, size, pattern, actual)

    def check(self, values: Mapping[str, Value]) -> None:
        """Compare the formulas with the actual sizes, once all symbols and params have values."""
        for port, expr, size, actual, pattern in self._pending:
            try:
                wanted = evaluate(expr, values)
            except ExpressionError as error:
                message = f"{unparse(expr)} of {port} stands for no size here: {error.message}"
                raise OpError("unbound-dimension", message, port) from None
            if not isinstance(wanted, int | Dim) or not self.caller.domain.equal(
                Dim.of(wanted), self.caller.value(size)
            ):
                raise self._mismatch(port, expr, wanted, size, actual, pattern)

    def inside(
        self,
        port: str,
        kind_of: TypePattern,
        names: SymbolTable,
        values: Mapping[str, Value],
    ) -> TensorType:
        """The type of an input in the names of the block."""
        shape = [
            size_of(part, names, values) if not isinstance(part, Dim) else part
            for part in self._shapes[port]
        ]
        return TensorType(kind_of.kind, tuple(shape))

    def _align(
        self, port: str, pattern: TypePattern, actual: TensorType
    ) -> list[tuple[Expression | None, Dim]]:
        """Each size of the type with the expression it stands against; None for those under `...`."""
        extra = actual.rank - len(pattern.dims)
        if extra < 0 or (extra > 0 and pattern.ellipsis is None):
            raise OpError("rank-mismatch", f"{port} needs {pattern}", port)
        if pattern.ellipsis is None:
            return list(zip(pattern.dims, actual.shape, strict=True))
        at = pattern.ellipsis
        rest = actual.shape[at : at + extra]
        symbols = self._ellipsis(port, rest)
        before = list(zip(pattern.dims[:at], actual.shape[:at], strict=True))
        after = list(zip(pattern.dims[at:], actual.shape[at + extra :], strict=True))
        return [*before, *((None, symbol) for symbol in symbols), *after]

    def _ellipsis(self, port: str, rest: tuple[Dim, ...]) -> list[Dim]:
        values = tuple(self.caller.value(size) for size in rest)
        first = self.match.rest is None or self.match.rest == values
        if self.match.rest is None:
            self.match.rest = values
        symbols = [
            EllipsisDim(self.owner, "" if first else port, k) for k in range(len(rest))
        ]
        self.match.binding |= zip(symbols, rest, strict=True)
        self.match.hints |= zip(symbols, values, strict=True)
        return list(map(Dim.symbol, symbols))

    def _bind_dim(
        self,
        port: str,
        expr: Expression,
        size: Dim,
        pattern: TypePattern,
        actual: TensorType,
    ) -> None:
        if isinstance(expr, Variable) and expr.id not in self.params:
            symbol = InputDim(self.owner, expr.id)
            if symbol not in self.match.binding:
                self.match.binding[symbol] = size
                self.match.hints[symbol] = self.caller.value(size)
                return
        self._pending.append((port, expr, size, actual, pattern))

    def _mismatch(
        self,
        port: str,
        expr: Expression,
        wanted: Value,
        size: Dim,
        actual: TensorType,
        pattern: TypePattern,
    ) -> OpError:
        explanation = (
            ""
            if str(wanted) == unparse(expr)
            else f", where {unparse(expr)} = {wanted}"
        )
        message = f"{port} needs {pattern}{explanation}"
        fault = OpError("pattern-mismatch", message, port)
        if isinstance(wanted, int | Dim):
            fault.conditions = self.caller.when_equal(Dim.of(wanted), size)
        return fault


def size_of(expr: Expression, names: SymbolTable, values: Mapping[str, Value]) -> Dim:
    """A formula in the names of a scope.

    Raises:
        OpError: if it is not a size.
    """
    try:
        value = evaluate(expr, values)
    except ExpressionError as error:
        message = f"{unparse(expr)} stands for no size here: {error.message}"
        raise OpError("unbound-dimension", message) from None
    if isinstance(value, bool) or not isinstance(value, int | Dim):
        raise OpError("unbound-dimension", f"{unparse(expr)} is no size")
    return Dim.of(names.size(expr, value))
