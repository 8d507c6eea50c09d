"""The syntax tree of the expression language, and its printer.

It is apart from the parser because the algebra of sizes, which the evaluator needs,
prints its results as expressions too.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import field, replace
from functools import lru_cache

from compiler.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class ExprNode:
    """A part of an expression, at the offsets `start:end` of the text."""

    start: int = field(default=0, compare=False, kw_only=True)
    end: int = field(default=0, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class NumberLiteral(ExprNode):
    """A non-negative literal: `3`, `0.1`, `3e-4`."""

    value: int | float

    def __eq__(self, other: object) -> bool:
        """Whether it is the same number, and of the same type: `1` and `1.0` are different literals."""
        if not isinstance(other, NumberLiteral):
            return NotImplemented
        return type(self.value) is type(other.value) and self.value == other.value

    def __hash__(self) -> int:
        return hash(self.value)


@dataclass(frozen=True, slots=True)
class BooleanLiteral(ExprNode):
    """`true` or `false`; `True` and `False` mean the same."""

    value: bool


@dataclass(frozen=True, slots=True)
class NamedNumber(ExprNode):
    """A number by its name: `pi`."""

    name: str

    @property
    def value(self) -> float:
        """The number."""
        return CONSTANTS[self.name]


@dataclass(frozen=True, slots=True)
class Variable(ExprNode):
    """The name of a param, a dimension or the counter of a repeat."""

    id: str


@dataclass(frozen=True, slots=True)
class Given(ExprNode):
    """`given(mask)`: whether an optional input of the scope is given."""

    input: str

    @property
    def key(self) -> str:
        """What its value is called among those of names, of which none looks so."""
        return f"given({self.input})"


@dataclass(frozen=True, slots=True)
class UnaryOperation(ExprNode):
    """`-x`, `+x` or `not x`."""

    op: str
    operand: "Expression"


@dataclass(frozen=True, slots=True)
class BinaryOperation(ExprNode):
    """`+`, `-`, `*`, `/`, `//`, `%` or `**` of two operands."""

    op: str
    left: "Expression"
    right: "Expression"


@dataclass(frozen=True, slots=True)
class ComparisonOperation(ExprNode):
    """`==`, `!=`, `<`, `<=`, `>` or `>=` of two operands; comparisons cannot be chained."""

    op: str
    left: "Expression"
    right: "Expression"


@dataclass(frozen=True, slots=True)
class LogicalOperation(ExprNode):
    """`and` or `or` of two or more operands, evaluated from left to right with short circuit."""

    op: str
    operands: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class IfElse(ExprNode):
    """`body if test else orelse`."""

    test: "Expression"
    body: "Expression"
    orelse: "Expression"


@dataclass(frozen=True, slots=True)
class FunctionCall(ExprNode):
    """A function of the language, such as `min`, of its arguments."""

    function: str
    args: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Indexing(ExprNode):
    """`value[index]`."""

    value: "Expression"
    index: "Expression"


@dataclass(frozen=True, slots=True)
class Slicing(ExprNode):
    """`value[first:end]`; without `first` from the start, without `stop` to the end."""

    value: "Expression"
    first: "Expression | None"
    stop: "Expression | None"


@dataclass(frozen=True, slots=True)
class ListLiteral(ExprNode):
    """`[a, b, c]`."""

    items: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class CountedList(ExprNode):
    """`[item for i in count]`: a list of `count` items, of which `i` is the number, from 0."""

    item: "Expression"
    count: "Expression"


Expression = (
    NumberLiteral
    | BooleanLiteral
    | NamedNumber
    | Variable
    | Given
    | UnaryOperation
    | BinaryOperation
    | ComparisonOperation
    | LogicalOperation
    | IfElse
    | FunctionCall
    | Indexing
    | Slicing
    | ListLiteral
    | CountedList
)

CONSTANTS = {"pi": math.pi}
"""The numbers that have a name."""

ITEM_NUMBER = "i"
"""The name of the number of an item in a counted list: that of the copy index in a repeat."""


class ExpressionError(Exception):
    """An error in an expression, at the offsets `start:end` of the text. `code` is that of its diagnostic."""

    code = "bad-expression"

    def __init__(self, message: str, start: int = 0, end: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.start = start
        self.end = end


# Precedence, lowest first.
CONDITIONAL, OR, AND, NOT, COMPARE, SUM, PRODUCT, SIGN, POWER, POSTFIX = range(10)
PRECEDENCE = {
    "or": OR,
    "and": AND,
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">="), COMPARE),
    **dict.fromkeys(("+", "-"), SUM),
    **dict.fromkeys(("*", "/", "//", "%"), PRODUCT),
    "**": POWER,
}


def children(expr: Expression) -> tuple[Expression, ...]:
    """The operands of an expression, in the order of the text."""
    match expr:
        case UnaryOperation():
            return (expr.operand,)
        case BinaryOperation() | ComparisonOperation():
            return (expr.left, expr.right)
        case LogicalOperation():
            return expr.operands
        case IfElse():
            return (expr.body, expr.test, expr.orelse)
        case FunctionCall():
            return expr.args
        case Indexing():
            return (expr.value, expr.index)
        case Slicing():
            bounds = (expr.value, expr.first, expr.stop)
            return tuple(part for part in bounds if part is not None)
        case ListLiteral():
            return expr.items
        case CountedList():
            return (expr.item, expr.count)
        case _:
            return ()


@lru_cache(maxsize=4_096)
def names_in(expr: Expression) -> frozenset[str]:
    """All names that an expression takes from its scope."""
    return frozenset(one.id for one in variables(expr))


def variables(expr: Expression) -> Iterator[Variable]:
    """Every use of a name of the scope, in the order of the text; the `i` of a counted list is its own."""
    pending = [(expr, False)]
    while pending:
        part, counted = pending.pop()
        if isinstance(part, CountedList):
            pending += [(part.count, counted), (part.item, True)]
        elif not isinstance(part, Variable):
            pending += [(child, counted) for child in reversed(children(part))]
        elif not (counted and part.id == ITEM_NUMBER):
            yield part


def walk(expr: Expression) -> Iterator[Expression]:
    """All parts of an expression, itself included."""
    parts = [expr]
    while parts:
        part = parts.pop()
        yield part
        parts.extend(children(part))


def rewrite(
    expr: Expression, rule: Callable[[Expression], Expression | None]
) -> Expression:
    """Replace each part, outer ones first, for which `rule` returns another; None keeps the part.

    >>> expr = BinaryOperation("+", Variable("i"), NumberLiteral(1))
    >>> unparse(rewrite(expr, lambda part: Variable("k") if part == Variable("i") else None))
    'k + 1'
    """
    replacement = rule(expr)
    if replacement is not None:
        return replacement
    match expr:
        case UnaryOperation():
            return replace(expr, operand=rewrite(expr.operand, rule))
        case BinaryOperation() | ComparisonOperation():
            left, right = rewrite(expr.left, rule), rewrite(expr.right, rule)
            if left is expr.left and right is expr.right:
                return expr
            return replace(expr, left=left, right=right)
        case IfElse():
            body, test = rewrite(expr.body, rule), rewrite(expr.test, rule)
            return replace(
                expr, body=body, test=test, orelse=rewrite(expr.orelse, rule)
            )
        case LogicalOperation():
            return replace(expr, operands=_rewrite_all(expr.operands, rule))
        case FunctionCall():
            return replace(expr, args=_rewrite_all(expr.args, rule))
        case Indexing():
            value, index = rewrite(expr.value, rule), rewrite(expr.index, rule)
            if value is expr.value and index is expr.index:
                return expr
            return replace(expr, value=value, index=index)
        case Slicing() | ListLiteral() | CountedList():
            return _rewrite_list(expr, rule)
        case _:
            return expr


def _rewrite_list(
    expr: Slicing | ListLiteral | CountedList,
    rule: Callable[[Expression], Expression | None],
) -> Expression:
    match expr:
        case Slicing(value, first, stop):
            return replace(
                expr,
                value=rewrite(value, rule),
                first=first and rewrite(first, rule),
                stop=stop and rewrite(stop, rule),
            )
        case ListLiteral():
            return replace(expr, items=_rewrite_all(expr.items, rule))
        case CountedList():
            item = rewrite(expr.item, _outside(rule))
            return replace(expr, item=item, count=rewrite(expr.count, rule))


def _outside(
    rule: Callable[[Expression], Expression | None],
) -> Callable[[Expression], Expression | None]:
    """A rule for the parts of a counted list's item: one that its `i` is in is another thing outside."""
    return lambda part: None if ITEM_NUMBER in names_in(part) else rule(part)


def _rewrite_all(
    parts: tuple[Expression, ...], rule: Callable[[Expression], Expression | None]
) -> tuple[Expression, ...]:
    return tuple(rewrite(part, rule) for part in parts)


def unparse(expr: Expression) -> str:
    """The text of an expression, with parentheses where precedence or readability needs them.

    >>> size = BinaryOperation("+", Variable("H"), NumberLiteral(1))
    >>> unparse(BinaryOperation("//", size, NumberLiteral(2)))
    '(H + 1) // 2'
    """
    match expr:
        case NumberLiteral() | BooleanLiteral():
            return repr(expr.value)
        case NamedNumber() | Variable() | Given():
            return _unparse_name(expr)
        case UnaryOperation():
            return _unparse_unary(expr)
        case BinaryOperation():
            return _unparse_binary(expr)
        case ComparisonOperation():
            sides = (_operand(side, SUM) for side in (expr.left, expr.right))
            return f" {expr.op} ".join(sides)
        case LogicalOperation():
            above = PRECEDENCE[expr.op] + 1
            return f" {expr.op} ".join(_operand(part, above) for part in expr.operands)
        case IfElse():
            body, test = _operand(expr.body, OR), _operand(expr.test, OR)
            return f"{body} if {test} else {unparse(expr.orelse)}"
        case FunctionCall():
            return f"{expr.function}({', '.join(map(unparse, expr.args))})"
        case Indexing() | Slicing():
            return f"{_operand(expr.value, POSTFIX)}[{_unparse_place(expr)}]"
        case ListLiteral() | CountedList():
            return f"[{_unparse_list(expr)}]"


def _unparse_name(expr: NamedNumber | Variable | Given) -> str:
    match expr:
        case NamedNumber():
            return expr.name
        case Variable():
            return expr.id
        case Given():
            return expr.key


def _unparse_list(expr: ListLiteral | CountedList) -> str:
    if isinstance(expr, ListLiteral):
        return ", ".join(map(unparse, expr.items))
    return f"{unparse(expr.item)} for {ITEM_NUMBER} in {_operand(expr.count, OR)}"


def _unparse_place(expr: Indexing | Slicing) -> str:
    if isinstance(expr, Indexing):
        return unparse(expr.index)
    bounds = (unparse(part) if part else "" for part in (expr.first, expr.stop))
    return ":".join(bounds)


def _unparse_unary(expr: UnaryOperation) -> str:
    if expr.op == "not":
        return f"not {_operand(expr.operand, NOT)}"
    return f"{expr.op}{_operand(expr.operand, SIGN)}"


def _unparse_binary(expr: BinaryOperation) -> str:
    if (
        expr.op == "**"
    ):  # joins from the right, and binds closer than the sign before it
        return f"{_operand(expr.left, POSTFIX)} ** {_operand(expr.right, SIGN)}"
    # A loop, since recursion could not handle the left-nested operators of a sum of hundreds of terms.
    nested, left = [expr], expr.left
    while isinstance(left, BinaryOperation) and left.op != "**":
        nested.append(left)
        left = left.left
    text = unparse(left)
    for outer in reversed(nested):
        precedence = PRECEDENCE[outer.op]
        if _precedence(left) < precedence or _misread(left, outer):
            text = f"({text})"
        text = f"{text} {outer.op} {_operand(outer.right, precedence + 1)}"
        left = outer
    return text


def _misread(left: Expression, outer: BinaryOperation) -> bool:
    """Whether a reader could misread an operand without parentheses: `H // 2 * W` for `(H // 2) * W`."""
    if PRECEDENCE[outer.op] != PRODUCT or not isinstance(left, BinaryOperation):
        return False
    return left.op == "%" or (left.op == "//" and outer.op != "//")


def _operand(expr: Expression, least: int) -> str:
    """The text of an operand, in parentheses if its precedence is less than `least`."""
    text = unparse(expr)
    return text if _precedence(expr) >= least else f"({text})"


def _precedence(expr: Expression) -> int:
    match expr:
        case IfElse():
            return CONDITIONAL
        case UnaryOperation():
            return NOT if expr.op == "not" else SIGN
        case LogicalOperation() | ComparisonOperation() | BinaryOperation():
            return PRECEDENCE[expr.op]
        case _:
            return POSTFIX
