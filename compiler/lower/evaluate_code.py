"""What the code of a size or a condition comes to, for the values of one use: integers, flags, texts, lists."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any

from compiler.codegen.python import (
    Attribute,
    Binary,
    Call,
    Compare,
    Comprehension,
    Conditional,
    Expr,
    ListExpr,
    Literal,
    Logic,
    Name,
    Placeholder,
    Slice,
    Subscript,
    TupleExpr,
    Unary,
    lit,
)
from compiler.codegen.traversal import children, filled, mapped, walk
from compiler.expr.syntax import CONSTANTS
from compiler.ir.module import ScopeName, ScopeNumber
from compiler.ir.typed import Instance
from compiler.symbolic.dims import Dim
from compiler.symbolic.evaluate import Value
from compiler.symbolic.symbol_table import COUNTER


class Unknown(Exception):
    """The code has no value here."""


_BINARY: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": operator.pow,
    "in": lambda item, items: item in items,
    "not in": lambda item, items: item not in items,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


_CONSTANTS: Mapping[str, Any] = {
    f"math.{name}": value for name, value in CONSTANTS.items()
}
_UNARY: Mapping[str, Callable[[Any], Any]] = {
    "not": operator.not_,
    "-": operator.neg,
    "+": operator.pos,
}


def value_of(code: Expr, use: Instance, counter: int | None = None) -> Any:
    """The value of code whose placeholders are symbols of a scope, in one use of it.

    Raises:
        Unknown: where a symbol or a form has no value here.
    """

    def find(key: Hashable) -> Any:
        if isinstance(key, ScopeNumber):
            return number_behind(key, use)
        if not isinstance(key, ScopeName):
            raise Unknown(key)
        return lookup(key.name, use, counter)

    try:
        return _value_of(code, find)
    except (TypeError, ValueError, ArithmeticError, LookupError) as error:
        raise Unknown(code) from error


def _value_of(
    code: Expr, find: Callable[[Hashable], Any], names: Mapping[str, Any] = _CONSTANTS
) -> Any:
    if isinstance(code, Literal):
        return code.value
    if isinstance(code, Placeholder):
        return find(code.key)
    match code:
        case Binary(op, left, right) | Compare(op, left, right) if op in _BINARY:
            return _BINARY[op](
                _value_of(left, find, names), _value_of(right, find, names)
            )
        case Unary(op, operand):
            return _UNARY[op](_value_of(operand, find, names))
        case Logic(op, items):
            results = (_value_of(item, find, names) for item in items)
            return all(results) if op == "and" else any(results)
        case Conditional(test, body, orelse):
            return _value_of(
                body if _value_of(test, find, names) else orelse, find, names
            )
        case TupleExpr() | ListExpr():
            return tuple([_value_of(item, find, names) for item in code.items])
        case Subscript(items, (index,)) if not isinstance(index, Slice):
            return _value_of(items, find, names)[_whole(_value_of(index, find, names))]
        case Subscript(items, (Slice(first, stop, None),)):
            ends = (
                None if end is None else _whole(_value_of(end, find, names))
                for end in (first, stop)
            )
            return _value_of(items, find, names)[slice(*ends)]
        case Call(Name(name), args, kwargs) if name in _FUNCTIONS:
            given = {key: _value_of(value, find, names) for key, value in kwargs}
            return _FUNCTIONS[name](
                *(_value_of(arg, find, names) for arg in args), **given
            )
    return _special(code, find, names)


def _special(
    part: Expr, find: Callable[[Hashable], Any], names: Mapping[str, Any]
) -> Any:
    """The value of a number that has a name, or of a list whose items are counted."""
    match part:
        case Name(name) if name in names:
            return names[name]
        case Comprehension():
            return tuple(_items(part, find, names))
    raise Unknown(part)


def _items(
    each: Comprehension, find: Callable[[Hashable], Any], names: Mapping[str, Any]
) -> Iterator[Any]:
    """The items of a list that `i` counts; nothing is known of one in another that counts with the same name."""
    match each:
        case Comprehension(item, Name(name), Call(Name("range"), ends), None) if (
            name not in names
        ):
            for number in range(*(_whole(_value_of(end, find, names)) for end in ends)):
                yield _value_of(item, find, {**names, name: number})
        case _:
            raise Unknown(each)


def fold(
    code: Expr,
    fill: Callable[[Hashable], Expr],
    size_at: Callable[[Hashable, int], Expr | None],
    present: Callable[[Hashable], bool | None],
) -> Expr:
    """Code with every number and every decision worked out that can be.

    `fill` gives what stands for a placeholder, in parts that run; `size_at` the size of a value at an axis, `present`
    whether a placeholder holds something (None: unknown). Numbers are literals, and placeholders whose key is a `Dim`.
    """
    return _Folding(fill, size_at, present).folded(code)


def _taken(items: tuple[Expr, ...], place: Expr | Slice) -> Expr | None:
    """An item of a list that stands in code, or some; None where no number says which."""
    match place:
        case Literal(int(number)):
            return items[number] if -len(items) <= number < len(items) else None
        case Slice(None | Literal() as first, None | Literal() as stop, None):
            start, end = (
                None if one is None else _whole(one.value) for one in (first, stop)
            )
            return TupleExpr(items[start:end])
    return None


def either_of(test: Expr, body: Expr, orelse: Expr) -> Expr:
    """`body if test else orelse`; where both are one, that alone, unless the test may fail."""
    if body == orelse and not any(map(_may_fail, walk(test))):
        return body
    return Conditional(test, body, orelse)


def _may_fail(part: Expr | Slice) -> bool:
    """Whether a part of a test may have no value: an item that is not there, a division by 0, the log of 0."""
    match part:
        case Binary("//" | "%" | "/" | "**", _, Literal(int(divisor))):
            return divisor <= 0
        case Binary(op):
            return op not in ("+", "-", "*")
    return isinstance(part, Subscript | Call)


def folded_numbers(code: Expr) -> Expr:
    """Code with every number worked out that depends on no placeholder."""
    return fold(code, Placeholder, lambda *_: None, lambda _: None)


def with_values(code: Expr, values: Mapping[str, Value]) -> Expr:
    """Code with numbers for the names of the scope that have values, and every number worked out."""

    def fill(key: Hashable) -> Expr:
        if isinstance(key, ScopeName) and key.name in values:
            return number_code(values[key.name])
        return Placeholder(key)

    return folded_numbers(filled(code, fill) if values else code)


_FOLDED = frozenset({Compare, Subscript, Unary, Logic, Binary})


def _is_count(code: Call) -> bool:
    """Whether a call comes to a number where its arguments do."""
    return isinstance(code.func, Name) and code.func.id in _FUNCTIONS


def _joined(op: str, items: tuple[Expr, ...]) -> Expr:
    decides = op == "or"
    rest: list[Expr] = []
    for item in items:
        if not isinstance(item, Literal):
            rest.append(item)
        elif bool(item.value) is decides:
            return Literal(decides)
    if not rest:
        return Literal(not decides)
    return rest[0] if len(rest) == 1 else Logic(op, tuple(rest))


class _Folding:
    """The arguments of `fold`, and what parts of code come to, asked from the inside out.

    No closure calls itself: it would keep all that the code is made for until garbage is collected.
    """

    def __init__(
        self,
        fill: Callable[[Hashable], Expr],
        size_at: Callable[[Hashable, int], Expr | None],
        present: Callable[[Hashable], bool | None],
    ) -> None:
        self._fill, self._size_at, self._present = fill, size_at, present
        self._failed: dict[int, Expr] = {}
        """What came to no number, by identity: nothing made of it does."""

    def folded(self, part: Expr) -> Expr:
        if isinstance(part, Placeholder):
            return self._fill(part.key)
        if isinstance(part, Conditional):
            return self._decided(part)
        part = mapped(part, self.folded)
        foldable = _is_count(part) if isinstance(part, Call) else type(part) in _FOLDED
        return self._of_folded_parts(part) if foldable else part

    def _decided(self, choice: Conditional) -> Expr:
        test, body, orelse = choice.test, choice.body, choice.orelse
        test = self.folded(test)
        if isinstance(test, Literal):
            return self.folded(body if test.value else orelse)
        return either_of(test, self.folded(body), self.folded(orelse))

    def _of_folded_parts(self, part: Expr) -> Expr:
        match part:
            case Compare("is" | "is not" as op, left, Literal(None)):
                there = (
                    self._present(left.key)
                    if isinstance(left, Placeholder)
                    else left != part.right
                )
                return part if there is None else Literal(there is (op == "is not"))
            case Subscript(
                Attribute(Placeholder(key), "shape"), (Literal(int() as axis),)
            ):
                return self._size_at(key, axis) or part
            case Subscript(TupleExpr(items), (place,)):
                return _taken(items, place) or part
            case Unary("not", Literal(value)):
                return Literal(not value)
            case Logic(op, items):
                return _joined(op, items)
            case Binary() | Compare() | Unary() | Call():
                return self._number_of(part) or part
        return part

    def _number_of(self, part: Expr) -> Expr | None:
        """The number that a part comes to; None where it comes to none."""
        known = any(id(child) in self._failed for child in children(part))
        number = None if known else _number(part)
        if number is None:
            self._failed[id(part)] = part
        return number


def _number(code: Expr) -> Expr | None:
    """What numbers come to; None where some part is none."""
    try:
        value = _value_of(code, _plain_number)
    except (Unknown, TypeError, ValueError, ArithmeticError, LookupError):
        return None
    if isinstance(value, Dim):
        return (
            Literal(value.constant)
            if value.constant is not None
            else Placeholder(value)
        )
    return lit(value) if isinstance(value, bool | int | float) else None


def _plain_number(key: Hashable) -> Any:
    if isinstance(key, Dim):
        return key
    raise Unknown(key)


def lookup(name: str, use: Instance, counter: int | None) -> Value:
    """What a name stands for in a use: a value, or a size in the symbols of the network."""
    if name == COUNTER and counter is not None:
        return counter
    found = use.values.get(name)
    if found is None:
        found = use.params.get(name)
    if found is None:
        raise Unknown(name)
    if isinstance(found, Dim) and found.constant is not None:
        return found.constant
    return found


def number_behind(one: ScopeNumber, use: Instance) -> int | Dim:
    """What a number without a name is in a use."""
    found = use.context.hints.get(one.symbol)
    if found is None:
        raise Unknown(one)
    return found if found.constant is None else found.constant


def _whole(value: Any) -> int:
    if isinstance(value, Dim) and value.constant is not None:
        return value.constant
    return operator.index(value)


def _smallest(*args: Any, **default: Any) -> Any:
    return min(*args, **default)


_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "any": any,
    "min": _smallest,
    "max": lambda *args: max(*args),
    "len": len,
    "range": lambda *ends: range(*map(_whole, ends)),
    "tuple": tuple,
    "sum": sum,
    "round": round,
    "math.prod": math.prod,
    "math.sqrt": math.sqrt,
    "math.log": math.log,
    "math.exp": math.exp,
}
"""The functions that sizes and conditions call: those of the language, and those that make a list."""


def number_code(value: Any) -> Expr:
    """A value of a use as code: a literal, or a size in the symbols of the network."""
    if isinstance(value, tuple | list):
        return TupleExpr(tuple(map(number_code, value)))
    if isinstance(value, Dim):
        return lit(value.constant) if value.constant is not None else Placeholder(value)
    return lit(value)
