"""Maps the names of a scope to symbols, so that sizes are formulas in these names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
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
from compiler.symbolic.evaluate import FOLDS, ExpressionError, Value, evaluate
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
"""The name of the copy index in expressions of a repeated layer."""

COPY_INDEX = Dim.symbol(CopyNumber(()))
"""The copy index of the current layer, as a size."""

CopyFormula = tuple[Expression, int]
"""A formula with the copy index, and the copy for which it was evaluated."""


class SymbolTable(dict[str, Value]):
    """The names of a scope, mapped to symbols; `hints` has the values of the symbols.

    A size is a polynomial over the symbols. Any other formula (a minimum, a choice) becomes a symbol of its own, so
    that the generated code is valid for other values, too.

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
        copy_formulas: dict[Symbol, CopyFormula] | None = None,
        floats: dict[str, tuple[Value | None, bool]] | None = None,
    ) -> None:
        super().__init__(symbols)
        self._floats = {} if floats is None else floats
        """Whether a list has a float, by its name; looked through once, and not for each item that is used."""
        self.hints, self.owner = hints, owner
        self.copy_formulas: dict[Symbol, CopyFormula] = (
            {} if copy_formulas is None else copy_formulas
        )
        """The formulas with the copy index that symbols were made from."""

    def counted(self, counter: int | None) -> SymbolTable:
        """The table for one copy of a repeated layer."""
        if counter is None:
            return self
        return self.with_values({COUNTER: counter})

    def with_values(self, values: Mapping[str, Value]) -> SymbolTable:
        """The table with other values for some names."""
        return SymbolTable(
            {**self, **values},
            self.hints,
            self.owner,
            self.copy_formulas,
            self._floats,
        )

    def size(self, expr: Expression, value: Any) -> Any:
        """A formula as a size in the names of the scope; `value` is its value."""
        functions, listed = _functions(expr)
        if functions & FOLDS.keys():  # the list may have another length
            return self.opaque(expr, value)
        calls = bool(functions)
        known = dict(self) if listed else self
        told = rewrite(expr, _into(known, self._item)) if listed else expr
        try:
            size = evaluate(told, known)
        except ExpressionError:
            return self.opaque(expr, value)
        if self.names_float(expr):
            return self.opaque(expr, value)
        if calls and isinstance(size, Dim):
            return self._by_length(told, known, size)
        return size

    def names_float(self, expr: Expression) -> bool:
        """Whether a formula names a float, or a list of them: no symbol stands for it in a size."""
        return any(map(self._names_float, names_in(expr)))

    def _names_float(self, name: str) -> bool:
        value = self.get(name)
        if not isinstance(value, tuple):
            return isinstance(value, float)
        known, found = self._floats.get(name, (None, False))
        if known is not value:
            found = _has_float(value)
            self._floats[name] = value, found
        return found

    def _by_length(self, expr: Expression, known: dict[str, Value], size: Dim) -> Any:
        """A size with the lengths of lists as symbols, if it can be evaluated so."""
        try:
            return evaluate(rewrite(expr, _into(known, self._length)), known)
        except ExpressionError:  # a comparison or a choice that depends on a length
            return size

    def _item(self, part: Expression) -> Any:
        """The symbol of an item such as `widths[-1]` or `widths[early + i]`.

        Its position depends on params: for other params the list has another length.
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
        """The symbol of the length of a list."""
        if not isinstance(part, FunctionCall) or part.function != "len":
            return None
        return self.opaque(part, evaluate(part, self))

    def _stays(self, index: Expression) -> bool:
        """Whether the index of an item is a constant, or the copy index."""
        if isinstance(index, Variable) and index.id == COUNTER:
            return not isinstance(self.get(COUNTER), Dim)
        return isinstance(index, NumberLiteral)

    def _values(self) -> dict[str, Value]:
        """The values of the names, with numbers in place of symbols."""
        return {name: _value(value, self.hints) for name, value in self.items()}

    def symbol(self, expr: Expression, value: int) -> Dim | None:
        """A number as a symbolic size; None if it depends on no name."""
        size = self.size(expr, value) if names_in(expr) else None
        if isinstance(size, int):  # for example the length of a constant list
            size = self.opaque(expr, value)
        return size if isinstance(size, Dim) else None

    def opaque(self, expr: Expression, value: Any) -> Any:
        """A formula as a symbol of its own; a value that is not a number is returned unchanged."""
        number = isinstance(value, int | Dim) and not isinstance(value, bool)
        if not number:
            return value
        symbol = self._symbol(expr)
        self.hints[symbol] = Dim.of(value)
        return Dim.symbol(symbol)

    def _symbol(self, expr: Expression) -> Symbol:
        """The symbol of a formula; for this copy, if the formula contains the copy index."""
        if COUNTER not in names_in(expr):
            return symbol_of(self.owner, expr)
        copy = self.get(COUNTER)
        if not isinstance(copy, int):
            counter = copy.alone if isinstance(copy, Dim) else None
            own = counter if isinstance(counter, CopyNumber) else None
            return symbol_of(self.owner, expr, own)
        symbol = symbol_of(self.owner, counted_from(expr, Dim.of(copy)))
        self.copy_formulas[symbol] = expr, copy
        return symbol


def _into(
    known: dict[str, Value], find: Callable[[Expression], Any]
) -> Callable[[Expression], Expression | None]:
    """A rewrite rule that replaces each part for which `find` returns a size by a new name, added to `known`."""

    def name(part: Expression) -> Expression | None:
        size = find(part)
        if not isinstance(size, Dim):
            return None
        fresh = f"{len(known)}"  # no name of a spec is a number
        known[fresh] = size
        return Variable(fresh)

    return name


def by_counter(
    size: Dim,
    copy_formulas: Mapping[Symbol, CopyFormula],
    copy: int,
    here: Dim = COPY_INDEX,
) -> dict[Symbol, Symbol]:
    """Replacements for the symbols of a size of one copy: the formulas that they were made from.

    `widths[early + 1]` is made from `widths[early + i]` in copy 1, and from
    `widths[early + i - 1]` in copy 2. `here` is the size to use for `i`.
    """
    found: dict[Symbol, Symbol] = {}
    for symbol in sorted(size.symbols):
        if symbol in copy_formulas:
            expr, origin = copy_formulas[symbol]
            formula = counted_from(expr, here + (origin - copy))
            found[symbol] = symbol_of(symbol.owner, formula)
    return found


def item_of_copy(item: ListItem, place: Dim) -> Symbol:
    """The item of the same list at another index: `widths[i + 1]`."""
    formula = Indexing(Variable(item.name), place.to_expr())
    return symbol_of(item.owner, formula)


def length_of(item: ListItem) -> Opaque:
    """The length of an item's list."""
    formula = FunctionCall("len", (Variable(item.name),))
    return Opaque(item.owner, formula, unparse(formula), None)


@lru_cache(maxsize=4_096)
def _functions(expr: Expression) -> tuple[frozenset[str], bool]:
    """The functions that a formula calls, and whether it may look at items of lists."""
    if isinstance(expr, Variable):
        return frozenset(), False
    parts = list(walk(expr))
    found = frozenset(p.function for p in parts if isinstance(p, FunctionCall))
    return found, bool(found) or any(isinstance(part, Indexing) for part in parts)


def _value(value: Value, hints: Mapping[Symbol, Dim]) -> Value:
    if isinstance(value, tuple):
        return tuple(_value(item, hints) for item in value)
    return value.substitute(hints) if isinstance(value, Dim) else value


def _has_float(value: Value | None) -> bool:
    """Whether a value is a float, or a list with one."""
    if isinstance(value, tuple):
        return any(map(_has_float, value))
    return isinstance(value, float)


@lru_cache(maxsize=4_096)
def counted_from(expr: Expression, place: Dim) -> Expression:
    """A formula with the copy index replaced by a number or a formula."""
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
    """A formula in normal form; an index from the end: `[-1]` for `[len(widths) - 1]`."""
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
    """The length of a list as a symbol."""
    if isinstance(part, FunctionCall) and part.function == "len":
        return Dim.symbol(symbol_of((), part))
    return None
