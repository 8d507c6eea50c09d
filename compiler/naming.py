"""What the names of a scope stand for when sizes are told in them, not in values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from compiler.dims import Dim
from compiler.expressions import ExpressionError, Value, evaluate
from compiler.syntax import Expr, Index, Unary, names, show, walk

COUNTER = "i"
"""What counts the copies of a repeat."""


class Names(dict[str, Value]):
    """The symbols of a scope by name, and in `hints` the values behind them.

    A size is told as a polynomial over the symbols. Where a formula is more than that (a
    minimum, a choice) it becomes a symbol itself, whose name is its text: the code that
    is made of it then holds for other values, too.

    >>> from compiler.expressions import parse_expression
    >>> scope = Names({"width": Dim.symbol("width")}, {"width": Dim.of(32)})
    >>> str(scope.size(parse_expression("2 * width"), 64))
    '2 * width'
    >>> str(2 * scope.size(parse_expression("min(width, 8)"), 8))
    '2 * (min(width, 8))'
    """

    def __init__(self, symbols: Mapping[str, Value], hints: dict[str, Dim]) -> None:
        super().__init__(symbols)
        self.hints = hints

    def counted(self, counter: int | None) -> Names:
        """The same for one copy of a repeated layer."""
        if counter is None:
            return self
        return Names({**self, COUNTER: counter}, self.hints)

    def size(self, expr: Expr, value: Any) -> Any:
        """A formula, whose value is known, in the names of the scope."""
        try:
            size = evaluate(expr, self)
        except ExpressionError:
            return self.opaque(expr, value)
        return self._from_the_end(expr, size) if isinstance(size, Dim) else size

    def _from_the_end(self, expr: Expr, size: Dim) -> Dim:
        """Items such as `widths[-1]` under this name: the list may have another length."""
        named = {}
        for part in walk(expr):
            if isinstance(part, Index) and isinstance(part.index, Unary):
                item = evaluate(part, self)
                if isinstance(item, Dim):
                    named[str(item)] = self.opaque(part, item.substitute(self.hints))
        return size.substitute(named)

    def symbol(self, expr: Expr, value: int) -> Dim | None:
        """A number as a symbolic size; None where it depends on no name."""
        size = self.size(expr, value) if names(expr) else None
        if isinstance(size, int):  # such as the length of a list that is known
            size = self.opaque(expr, value)
        return size if isinstance(size, Dim) else None

    def opaque(self, expr: Expr, value: Any) -> Any:
        """A formula as a symbol whose name is its text; a value that is no number as it is."""
        number = isinstance(value, int | Dim) and not isinstance(value, bool)
        if not number or COUNTER in names(expr):
            return value
        text = show(expr) if isinstance(expr, Index) else f"({show(expr)})"
        self.hints[text] = Dim.of(value)
        return Dim.symbol(text)
