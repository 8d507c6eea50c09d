"""Evaluates the expressions of a spec; nothing is executed as Python.

A value is a param's value or a symbolic integer: arithmetic over the sizes of inputs
gives a `Dim`, which becomes an int again once it contains no symbol.
"""

import math
import operator
from collections.abc import Callable, Iterable, Mapping
from functools import partial, reduce
from typing import NoReturn, TypeAlias, TypeVar

from compiler.expr.grammar import parse_expression
from compiler.expr.syntax import (
    ITEM_NUMBER,
    BinaryOperation,
    BooleanLiteral,
    ComparisonOperation,
    CountedList,
    Expression,
    ExpressionError,
    FunctionCall,
    Given,
    IfElse,
    Indexing,
    ListLiteral,
    LogicalOperation,
    NamedNumber,
    NumberLiteral,
    Slicing,
    UnaryOperation,
    Variable,
)
from compiler.symbolic.dims import Dim, DimOverflow, ceil_div

__all__ = ["ExpressionError", "Value", "evaluate", "parse_expression"]

Value: TypeAlias = "int | float | bool | str | Dim | tuple[Value, ...]"
Numeric = int | float | Dim
Operand = TypeVar("Operand", bound=Numeric)


class NotConstant(ExpressionError):
    """A symbolic size is used where a known number is required."""

    code = "not-constant"


class UnknownName(ExpressionError):
    """A name that is not defined in the scope."""

    code = "unknown-name"


class DivisionByZero(ExpressionError):
    """A divisor that is zero."""

    code = "division-by-zero"


ARITHMETIC: dict[str, Callable[[Numeric, Numeric], Numeric]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "//": operator.floordiv,
    "%": operator.mod,
    "/": operator.truediv,
}
FOLDS: dict[str, tuple[Callable[[Numeric, Numeric], Numeric], int]] = {
    "sum": (operator.add, 0),
    "prod": (operator.mul, 1),
}
"""The functions of all numbers of a list: an operation of two, and the value for none."""
OF_A_NUMBER: dict[str, Callable[[float], int | float]] = {
    "round": round,
    "sqrt": math.sqrt,
    "log": math.log,
    "exp": math.exp,
}
MOST_FACTORS = 16
"""The greatest exponent of a size that is not known."""
MOST_ITEMS = 256
"""The items of a list whose sum, product, minimum or maximum is taken, or that a rule is given for."""
_BITS = 63
ORDERINGS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def evaluate(expr: Expression, env: Mapping[str, Value]) -> Value:
    """The value of an expression, given the values of its names.

    Raises `ExpressionError` with the position of the error: an unknown name, a wrong type,
    an index out of range, a division by zero, an integer beyond 64 bits; `NotConstant`
    if a symbolic size is compared, branched on or converted to a float.

    >>> from compiler.symbolic.symbols import NETWORKS, InputDim
    >>> names = {"D": Dim.symbol(InputDim(NETWORKS, "D"))}
    >>> str(evaluate(parse_expression("4 * D // 2"), names))
    '2 * D'
    """
    if isinstance(expr, Variable):
        return _look_up(expr, env)
    if isinstance(expr, BinaryOperation):
        return _arithmetic(expr, env)
    match expr:
        case NumberLiteral() | BooleanLiteral() | NamedNumber():
            return expr.value
        case Given():
            return _asked(expr, env)
        case UnaryOperation():
            return _arithmetic(expr, env)
        case ComparisonOperation():
            return _compare(expr, env)
        case LogicalOperation():
            return _logic(expr, env)
        case IfElse():
            return evaluate(expr.body if _truth(expr.test, env) else expr.orelse, env)
        case FunctionCall():
            return _call(expr, env)
        case Indexing():
            return _index(expr, env)
        case Slicing() | ListLiteral() | CountedList():
            return _list(expr, env)


def _asked(expr: Given, env: Mapping[str, Value]) -> Value:
    if expr.key not in env:
        _fail(expr, "`given` asks for an input in the `when` of a layer alone")
    return env[expr.key]


def _list(
    expr: Slicing | ListLiteral | CountedList, env: Mapping[str, Value]
) -> tuple[Value, ...]:
    match expr:
        case Slicing():
            return _slice(expr, env)
        case ListLiteral(items):
            return tuple(evaluate(item, env) for item in items)
        case CountedList():
            return _counted(expr, env)


def _counted(expr: CountedList, env: Mapping[str, Value]) -> tuple[Value, ...]:
    """The items of a list that has a rule for them."""
    count = _as_whole(expr.count, evaluate(expr.count, env))
    if isinstance(count, Dim):
        _symbolic(expr.count, count)
    if not 0 <= count <= MOST_ITEMS:
        _fail(expr.count, f"a list has 0 to {MOST_ITEMS} items, and this is {count}")
    numbers = ({**env, ITEM_NUMBER: number} for number in range(count))
    return tuple(evaluate(expr.item, names) for names in numbers)


def _fail(part: Expression, message: str) -> NoReturn:
    raise ExpressionError(message, part.start, part.end)


def _symbolic(part: Expression, value: Numeric) -> NoReturn:
    message = f"needs a known number; {value} depends on the sizes of the inputs"
    raise NotConstant(message, part.start, part.end)


def _kind(value: Value) -> str:
    match value:
        case bool():
            return "a bool"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case Dim():
            return "a size"
        case _:
            return "a list"


def _look_up(expr: Variable, env: Mapping[str, Value]) -> Value:
    if expr.id not in env:
        raise UnknownName(f"unknown name `{expr.id}`", expr.start, expr.end)
    return _plain(env[expr.id])


def _plain(value: Value) -> Value:
    constant = value.constant if isinstance(value, Dim) else None
    return value if constant is None else constant


def _number(part: Expression, env: Mapping[str, Value]) -> Numeric:
    return _as_number(part, evaluate(part, env))


def _as_number(part: Expression, value: Value) -> Numeric:
    value = _plain(value)
    if isinstance(value, bool) or not isinstance(value, int | float | Dim):
        _fail(part, f"expected a number, found {_kind(value)}")
    return value


def _truth(part: Expression, env: Mapping[str, Value]) -> bool:
    value = evaluate(part, env)
    if isinstance(value, Dim):
        _symbolic(part, value)
    if not isinstance(value, bool):
        _fail(part, f"expected a bool, found {_kind(value)}")
    return value


def _arithmetic(
    expr: UnaryOperation | BinaryOperation, env: Mapping[str, Value]
) -> Value:
    if isinstance(expr, BinaryOperation):
        left, right = _number(expr.left, env), _number(expr.right, env)
        if expr.op == "**":
            return _power(expr, left, right)
        if expr.op == "/" or isinstance(left, float) or isinstance(right, float):
            _known(expr.left, left)
            _known(expr.right, right)
        return _checked(expr, ARITHMETIC[expr.op], left, right)
    if expr.op == "not":
        return not _truth(expr.operand, env)
    sign = -1 if expr.op == "-" else 1
    return _checked(expr, operator.mul, sign, _number(expr.operand, env))


def _power(expr: BinaryOperation, base: Numeric, exponent: Numeric) -> Value:
    """A power; of a size that is not known, only a product of few of it."""
    exponent = _known(expr.right, exponent)
    if isinstance(base, Dim):
        if not isinstance(exponent, int) or not 0 <= exponent <= MOST_FACTORS:
            _symbolic(expr.left, base)
        return _folded(expr, operator.mul, [base] * exponent, 1)
    if isinstance(base, int) and abs(base) > 1 and exponent > _BITS:
        _fail(expr, "the result is beyond 64 bits")
    result = _checked(expr, operator.pow, base, exponent)
    if isinstance(result, complex):
        _fail(expr, "the power of a negative number needs an integer as exponent")
    return result


def _folded(
    part: Expression,
    operation: Callable[[Numeric, Numeric], Numeric],
    numbers: Iterable[Numeric],
    start: Numeric,
) -> Numeric:
    found = start
    for number in numbers:
        found = _checked(part, operation, found, number)
    return found


def _as_items(part: Expression, value: Value) -> tuple[Value, ...]:
    """A list whose items a function looks at: few enough to do so in every copy of a layer."""
    items = _as_list(part, value)
    if len(items) > MOST_ITEMS:
        _fail(part, f"the list has more than {MOST_ITEMS} items")
    return items


def _known(part: Expression, value: Numeric) -> int | float:
    if isinstance(value, Dim):
        _symbolic(part, value)
    return value


def _checked(
    part: Expression,
    operation: Callable[[Operand, Operand], Numeric],
    left: Operand,
    right: Operand,
) -> Numeric:
    """The result of an operation; an error if it is infinite or beyond 64 bits."""
    try:
        result = operation(left, right)
    except ZeroDivisionError:
        raise DivisionByZero("division by zero", part.start, part.end) from None
    except (DimOverflow, OverflowError):
        _fail(part, "the result is too large")
    if isinstance(result, Dim) and result.constant is not None:
        result = result.constant
    if isinstance(result, float) and not math.isfinite(result):
        _fail(part, "the result is too large")
    if isinstance(result, int) and not -(2**63) <= result < 2**63:
        _fail(part, "the result is beyond 64 bits")
    return result


def _compare(expr: ComparisonOperation, env: Mapping[str, Value]) -> bool:
    left, right = evaluate(expr.left, env), evaluate(expr.right, env)
    if expr.op not in ORDERINGS:
        return _equal(expr, left, right) == (expr.op == "==")
    left, right = _as_number(expr.left, left), _as_number(expr.right, right)
    return ORDERINGS[expr.op](_difference(expr, left, right), 0)


def _difference(part: Expression, left: Numeric, right: Numeric) -> int | float:
    """A number with the sign of `left - right`; two sizes can be compared if their difference is known."""
    if not isinstance(left, Dim) and not isinstance(right, Dim):
        return (left > right) - (left < right)
    size = left if isinstance(left, Dim) else right
    if isinstance(left, float) or isinstance(right, float):
        _symbolic(part, size)
    difference = _checked(part, operator.sub, left, right)
    return difference if isinstance(difference, int) else _symbolic(part, size)


def _equal(part: Expression, left: Value, right: Value) -> bool:
    match left, right:
        case (tuple(), tuple()):
            pairs = zip(left, right, strict=False)
            same = (_equal(part, *pair) for pair in pairs)
            return len(left) == len(right) and all(same)
        case (bool(), bool()) | (str(), str()):
            return left == right
        case (bool() | str() | tuple(), _) | (_, bool() | str() | tuple()):
            _fail(part, f"cannot compare {_kind(left)} with {_kind(right)}")
        case _:
            sides = _as_number(part, left), _as_number(part, right)
            return _difference(part, *sides) == 0


def _logic(expr: LogicalOperation, env: Mapping[str, Value]) -> bool:
    if expr.op == "and":
        return all(_truth(part, env) for part in expr.operands)
    return any(_truth(part, env) for part in expr.operands)


def _call(expr: FunctionCall, env: Mapping[str, Value]) -> Value:
    values = [evaluate(part, env) for part in expr.args]
    if expr.function == "len":
        return len(_as_list(expr.args[0], values[0]))
    if expr.function == "ceil_div":
        left, right = map(_as_whole, expr.args, values)
        return _checked(expr, ceil_div, left, right)
    if expr.function in FOLDS:
        operation, start = FOLDS[expr.function]
        items = _as_items(expr.args[0], values[0])
        numbers = [_as_number(expr, item) for item in items]
        return _folded(expr, operation, numbers, start)
    if expr.function in OF_A_NUMBER:
        number = _known(expr.args[0], _as_number(expr.args[0], values[0]))
        return _checked_call(expr, number)
    if len(values) == 1 and isinstance(values[0], tuple):
        values = list(_as_items(expr.args[0], values[0]))
    if not values:
        _fail(expr, f"`{expr.function}` of an empty list")
    return reduce(partial(_pick, expr), (_as_number(expr, value) for value in values))


def _checked_call(expr: FunctionCall, number: int | float) -> int | float:
    try:
        return OF_A_NUMBER[expr.function](number)
    except ValueError:
        _fail(expr, f"`{expr.function}` of {number} is not a number")
    except OverflowError:
        _fail(expr, "the result is too large")


def _pick(expr: FunctionCall, left: Numeric, right: Numeric) -> Numeric:
    difference = _difference(expr, left, right)
    if expr.function == "max":
        difference = -difference
    return left if difference <= 0 else right


def _as_whole(part: Expression, value: Value) -> int | Dim:
    number = _as_number(part, value)
    if isinstance(number, float):
        _fail(part, "expected an integer, found a float")
    return number


def _as_list(part: Expression, value: Value) -> tuple[Value, ...]:
    if not isinstance(value, tuple):
        _fail(part, f"expected a list, found {_kind(value)}")
    return value


def _index(expr: Indexing, env: Mapping[str, Value]) -> Value:
    """An item of a list; a negative index counts from its end, as in Python."""
    items = _as_list(expr.value, evaluate(expr.value, env))
    index = _as_whole(expr.index, evaluate(expr.index, env))
    if isinstance(index, Dim):
        _symbolic(expr.index, index)
    if not -len(items) <= index < len(items):
        _fail(expr.index, f"index {index} is out of range for {len(items)} items")
    return _plain(items[index])


def _slice(expr: Slicing, env: Mapping[str, Value]) -> tuple[Value, ...]:
    """Items of a list; bounds beyond its ends are its ends, as in Python."""
    items = _as_list(expr.value, evaluate(expr.value, env))
    first, stop = (
        None if bound is None else _bound(bound, env)
        for bound in (expr.first, expr.stop)
    )
    return items[first:stop]


def _bound(part: Expression, env: Mapping[str, Value]) -> int:
    bound = _as_whole(part, evaluate(part, env))
    if isinstance(bound, Dim):
        _symbolic(part, bound)
    return bound
