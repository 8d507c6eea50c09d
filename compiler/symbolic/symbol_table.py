"""What the names of a scope stand for when sizes are told in them, not in values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
from compiler.symbolic.evaluate import ExpressionError, Value, evaluate
from compiler.symbolic.symbols import (
    CopyNumber,
    ListItem,
    Opaque,
    Owner,
    ParamNumber,
    Symbol,
    symbol_of,
)

COUNTER = "i"
"""What counts the copies of a repeat."""

COUNTED = Dim.symbol(CopyNumber(()))
"""The number of a copy, whatever repeats."""

Counted = tuple[Expression, int]
"""A formula of the counter, and the copy that it was worked out for."""


class SymbolTable(dict[str, Value]):
    """The names of a scope with the symbols that they stand for, and in `hints` the values behind the symbols.

    A size is a polynomial over the symbols. Where a formula is more than that (a minimum, a choice) it becomes
    a symbol itself: the code that is made of it then holds for other values, too.

    >>> from compiler.symbolic.evaluate import parse_expression
    >>> width = ParamNumber(("net.yaml",), "width")
    >>> scope = SymbolTable(
    ...     {"width": Dim.symbol(width)}, {width: Dim.of(32)}, ("net.yaml",)
    ... )
    >>> str(scope.size(parse_expression("2 * width"), 64))
    '2 * width'
    >>> str(2 * scope.size(parse_expression("min(width, 8)"), 8))
    '2 * min(width, 8)'
    """

    def __init__(
        self,
        symbols: Mapping[str, Value],
        hints: dict[Symbol, Dim],
        owner: Owner,
        counted_as: dict[Symbol, Counted] | None = None,
    ) -> None:
        super().__init__(symbols)
        self.hints, self.owner = hints, owner
        self.counted_as: dict[Symbol, Counted] = (
            {} if counted_as is None else counted_as
        )
        """What symbols that stand for a formula of the counter come from."""

    def counted(self, counter: int | None) -> SymbolTable:
        """The same for one copy of a repeated layer."""
        if counter is None:
            return self
        return self.with_values({COUNTER: counter})

    def with_values(self, values: Mapping[str, Value]) -> SymbolTable:
        """The same with other values for some names."""
        return SymbolTable({**self, **values}, self.hints, self.owner, self.counted_as)

    def size(self, expr: Expression, value: Any) -> Any:
        """A formula, whose value is known, in the names of the scope."""
        listed = any(isinstance(part, Indexing | FunctionCall) for part in walk(expr))
        known = dict(self) if listed else self
        told = rewrite(expr, _into(known, self._item)) if listed else expr
        try:
            size = evaluate(told, known)
        except ExpressionError:
            return self.opaque(expr, value)
        if listed and isinstance(size, Dim):
            return self._by_length(told, known, size)
        return size

    def _by_length(self, expr: Expression, known: dict[str, Value], size: Dim) -> Any:
        """A size in the lengths of lists, where it is made of them and more."""
        try:
            return evaluate(rewrite(expr, _into(known, self._length)), known)
        except ExpressionError:  # they choose between sizes
            return size

    def _item(self, part: Expression) -> Any:
        """Items such as `widths[-1]` or `widths[early + i]`, under this name.

        With other params the list has another length, and the item another place.
        """
        if not isinstance(part, Indexing):
            return None
        if self._stays(part.index):
            self._symbol(part)
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
        """A formula as a symbol of its own; a value that is no number as it is."""
        number = isinstance(value, int | Dim) and not isinstance(value, bool)
        if not number:
            return value
        symbol = self._symbol(expr)
        self.hints[symbol] = Dim.of(value)
        return Dim.symbol(symbol)

    def _symbol(self, expr: Expression) -> Symbol:
        """The symbol of a formula, for this copy where it has the counter in it."""
        if COUNTER not in names_in(expr):
            return symbol_of(self.owner, expr)
        copy = self.get(COUNTER)
        if not isinstance(copy, int):
            counter = copy.alone if isinstance(copy, Dim) else None
            own = counter if isinstance(counter, CopyNumber) else None
            return symbol_of(self.owner, expr, own)
        symbol = symbol_of(self.owner, _counted_from(expr, Dim.of(copy)))
        self.counted_as[symbol] = expr, copy
        return symbol


def _into(
    known: dict[str, Value], find: Callable[[Expression], Any]
) -> Callable[[Expression], Expression | None]:
    """Put names in place of what stands for a size of its own, and the sizes into `known`."""

    def name(part: Expression) -> Expression | None:
        size = find(part)
        if not isinstance(size, Dim):
            return None
        fresh = f"{len(known)}"  # no name of a spec is a number
        known[fresh] = size
        return Variable(fresh)

    return name


def by_counter(
    size: Dim, counted_as: Mapping[Symbol, Counted], copy: int, here: Dim = COUNTED
) -> dict[Symbol, Symbol]:
    """The symbols of a size of one copy, as the formulas that they come from.

    `widths[early + 1]` comes from `widths[early + i]` in copy 1, and from
    `widths[early + i - 1]` in copy 2. `here` stands for the copy in place of `i`.
    """
    found: dict[Symbol, Symbol] = {}
    for symbol in sorted(size.symbols):
        if symbol in counted_as:
            expr, origin = counted_as[symbol]
            formula = _counted_from(expr, here + (origin - copy))
            found[symbol] = symbol_of(symbol.owner, formula)
    return found


def item_of_copy(item: ListItem, place: Dim) -> Symbol:
    """The item of the same list at another place: `widths[i + 1]`."""
    formula = Indexing(Variable(item.name), place.to_expr())
    return symbol_of(item.owner, formula)


def length_of(item: ListItem) -> Opaque:
    """The length of the list that an item is of."""
    formula = FunctionCall("len", (Variable(item.name),))
    return Opaque(item.owner, formula, unparse(formula), None)


def _value(value: Value, hints: Mapping[Symbol, Dim]) -> Value:
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
    known: dict[str, Value] = {
        name: Dim.symbol(ParamNumber((), name)) for name in names_in(expr)
    }
    named = rewrite(expr, _into(known, _length))
    try:
        size = evaluate(named, known)
    except ExpressionError:
        return expr
    if not isinstance(size, int | Dim) or isinstance(size, bool):
        return expr
    length = _length(FunctionCall("len", (items,))) if items else None
    back = None if length is None else (size - length).constant
    return Dim.of(size if back is None or back >= 0 else back).to_expr()


def _length(part: Expression) -> Dim | None:
    """The length of a list as a size of its own."""
    if isinstance(part, FunctionCall) and part.function == "len":
        return Dim.symbol(symbol_of((), part))
    return None
