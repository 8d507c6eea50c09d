"""What the names of a scope stand for when sizes are told in them, not in values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from typing import Any

from compiler.expr.syntax import (
    BinaryOperation,
    Expression,
    FunctionCall,
    Indexing,
    NumberLiteral,
    Variable,
    names_in,
    rewrite,
    unparse,
    walk,
)
from compiler.symbolic.dims import Dim
from compiler.symbolic.evaluate import (
    ExpressionError,
    Value,
    evaluate,
    parse_expression,
)

COUNTER = "i"
"""What counts the copies of a repeat."""

Counted = tuple[Expression, int]
"""A formula of the counter, and the copy that it was worked out for."""


class SymbolTable(dict[str, Value]):
    """The symbols of a scope by name, and in `hints` the values behind them.

    A size is told as a polynomial over the symbols. Where a formula is more than that (a
    minimum, a choice) it becomes a symbol itself, whose name is its text: the code that
    is made of it then holds for other values, too.

    >>> from compiler.symbolic.evaluate import parse_expression
    >>> scope = SymbolTable({"width": Dim.symbol("width")}, {"width": Dim.of(32)})
    >>> str(scope.size(parse_expression("2 * width"), 64))
    '2 * width'
    >>> str(2 * scope.size(parse_expression("min(width, 8)"), 8))
    '2 * (min(width, 8))'
    """

    def __init__(
        self,
        symbols: Mapping[str, Value],
        hints: dict[str, Dim],
        counted_as: dict[str, Counted] | None = None,
    ) -> None:
        super().__init__(symbols)
        self.hints = hints
        self.counted_as: dict[str, Counted] = {} if counted_as is None else counted_as
        """What symbols that stand for a formula of the counter come from."""

    def counted(self, counter: int | None) -> SymbolTable:
        """The same for one copy of a repeated layer."""
        if counter is None:
            return self
        return SymbolTable({**self, COUNTER: counter}, self.hints, self.counted_as)

    def size(self, expr: Expression, value: Any) -> Any:
        """A formula, whose value is known, in the names of the scope."""
        listed = any(isinstance(part, Indexing | FunctionCall) for part in walk(expr))
        known = copy(self) if listed else self
        told = rewrite(expr, self._into(known, self._item)) if listed else expr
        try:
            size = evaluate(told, known)
        except ExpressionError:
            return self.opaque(expr, value)
        return self._by_length(told, known, size) if isinstance(size, Dim) else size

    def _by_length(self, expr: Expression, known: dict[str, Value], size: Dim) -> Any:
        """A size in the lengths of lists, where it is made of them and more."""
        try:
            return evaluate(rewrite(expr, self._into(known, self._length)), known)
        except ExpressionError:  # they choose between sizes
            return size

    def _into(
        self, known: dict[str, Value], find: Callable[[Expression], Any]
    ) -> Callable[[Expression], Expression | None]:
        """Put names in place of what stands for a size of its own."""

        def name(part: Expression) -> Expression | None:
            size = find(part)
            if not isinstance(size, Dim):
                return None
            known[str(size)] = size
            return Variable(str(size))

        return name

    def _item(self, part: Expression) -> Any:
        """Items such as `widths[-1]` or `widths[early + i]`, under this name.

        With other params the list has another length, and the item another place.
        """
        if not isinstance(part, Indexing):
            return None
        if self._stays(part.index):
            self._text(part)
            return None
        try:
            return self.opaque(part, evaluate(part, self._values()))
        except ExpressionError:
            return None

    def _length(self, part: Expression) -> Any:
        """The length of a list under this name, in a size that is made of more."""
        if not isinstance(part, FunctionCall) or part.function != "len":
            return None
        return self.opaque(part, evaluate(part, self))

    def _stays(self, index: Expression) -> bool:
        """Whether the place of an item is a number from the front, or the counter's."""
        if isinstance(index, Variable) and index.id == COUNTER:
            return not isinstance(self.get(COUNTER), Dim)
        return isinstance(index, NumberLiteral)

    def _values(self) -> dict[str, Value]:
        """What the names stand for: lists of numbers, too."""
        return {name: _value(value, self.hints) for name, value in self.items()}

    def symbol(self, expr: Expression, value: int) -> Dim | None:
        """A number as a symbolic size; None where it depends on no name."""
        size = self.size(expr, value) if names_in(expr) else None
        if isinstance(size, int):  # such as the length of a list that is known
            size = self.opaque(expr, value)
        return size if isinstance(size, Dim) else None

    def opaque(self, expr: Expression, value: Any) -> Any:
        """A formula as a symbol whose name is its text; a value that is no number as it is."""
        number = isinstance(value, int | Dim) and not isinstance(value, bool)
        if not number:
            return value
        text = self._text(expr)
        self.hints[text] = Dim.of(value)
        return Dim.symbol(text)

    def _text(self, expr: Expression) -> str:
        """The text of a formula, for this copy where it has the counter in it."""
        copy = self.get(COUNTER)
        if COUNTER not in names_in(expr) or not isinstance(copy, int):
            return _shown(expr)
        text = _shown(_counted_from(expr, Dim.of(copy)))
        self.counted_as[text] = expr, copy
        return text


def by_counter(
    size: Dim, counted_as: Mapping[str, Counted], copy: int, here: Dim | None = None
) -> dict[str, str]:
    """The symbols of a size of one copy, as the formulas that they come from.

    `widths[early + 1]` comes from `widths[early + i]` in copy 1, and from
    `widths[early + i - 1]` in copy 2. `here` stands for the copy in place of `i`.
    """
    found = {}
    for symbol in size.symbols:
        if symbol in counted_as:
            expr, origin = counted_as[symbol]
            place = (Dim.symbol(COUNTER) if here is None else here) + (origin - copy)
            found[symbol] = _shown(_counted_from(expr, place))
    return found


def _value(value: Value, hints: Mapping[str, Dim]) -> Value:
    if isinstance(value, tuple):
        return tuple(_value(item, hints) for item in value)
    return value.substitute(hints) if isinstance(value, Dim) else value


def _counted_from(expr: Expression, place: Dim) -> Expression:
    """A formula with another number, or formula, in place of the counter."""
    number = place.to_expr()

    def put(part: Expression) -> Expression | None:
        if isinstance(part, Indexing):
            value = rewrite(part.value, put)
            return Indexing(value, _tidy(rewrite(part.index, put), value))
        if isinstance(part, BinaryOperation):
            left, right = rewrite(part.left, put), rewrite(part.right, put)
            return _tidy(BinaryOperation(part.op, left, right))
        return number if part == Variable(COUNTER) else None

    return rewrite(expr, put)


def _tidy(expr: Expression, items: Expression | None = None) -> Expression:
    """A formula added up; the place of an item: `[-1]` for `[len(widths) - 1]`."""
    named = rewrite(expr, _length_as_name)
    try:
        size = evaluate(named, {name: Dim.symbol(name) for name in names_in(named)})
    except ExpressionError:
        return expr
    if not isinstance(size, int | Dim) or isinstance(size, bool):
        return expr
    back = (size - Dim.symbol(_length_of(items))).constant if items else None
    place = Dim.of(size if back is None or back >= 0 else back)
    return rewrite(place.to_expr(), _name_as_length)


def _length_of(items: Expression) -> str:
    return _shown(FunctionCall("len", (items,)))


def _length_as_name(part: Expression) -> Expression | None:
    if isinstance(part, FunctionCall) and part.function == "len":
        return Variable(_length_of(part.args[0]))
    return None


def _name_as_length(part: Expression) -> Expression | None:
    if isinstance(part, Variable) and not part.id.isidentifier():
        return parse_expression(part.id)
    return None


def _shown(expr: Expression) -> str:
    return unparse(expr) if isinstance(expr, Indexing) else f"({unparse(expr)})"
