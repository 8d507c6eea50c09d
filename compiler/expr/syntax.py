"""The tree of the small expression language, and its printer.

It stands apart from the parser so that the algebra of shapes, which the evaluator
needs, can print itself as an expression too.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class ExprNode:
    """A part of an expression; `start` and `end` are its offsets in the text."""

    start: int = field(default=0, compare=False, kw_only=True)
    end: int = field(default=0, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class NumberLiteral(ExprNode):
    """A literal that is not negative: `3`, `0.1`, `3e-4`."""

    value: int | float


@dataclass(frozen=True, slots=True)
class BooleanLiteral(ExprNode):
    """`true` or `false` (`True` and `False` mean the same)."""

    value: bool


@dataclass(frozen=True, slots=True)
class Variable(ExprNode):
    """A param, a symbol of a dimension or a counter."""

    id: str


@dataclass(frozen=True, slots=True)
class UnaryOperation(ExprNode):
    """`-x`, `+x` or `not x`."""

    op: str
    operand: "Expression"


@dataclass(frozen=True, slots=True)
class BinaryOperation(ExprNode):
    """One of `+ - * / // %` between two operands."""

    op: str
    left: "Expression"
    right: "Expression"


@dataclass(frozen=True, slots=True)
class Comparison(ExprNode):
    """One of `== != < <= > >=`; comparisons do not chain."""

    op: str
    left: "Expression"
    right: "Expression"


@dataclass(frozen=True, slots=True)
class LogicalOperation(ExprNode):
    """`and` or `or` between two operands or more, evaluated from the left."""

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
    """`min`, `max`, `ceil_div` or `len` of its arguments."""

    function: str
    args: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Indexing(ExprNode):
    """`value[index]`."""

    value: "Expression"
    index: "Expression"


@dataclass(frozen=True, slots=True)
class ListLiteral(ExprNode):
    """`[a, b, c]`."""

    items: tuple["Expression", ...]


Expression = (
    NumberLiteral
    | BooleanLiteral
    | Variable
    | UnaryOperation
    | BinaryOperation
    | Comparison
    | LogicalOperation
    | IfElse
    | FunctionCall
    | Indexing
    | ListLiteral
)


class ExpressionError(Exception):
    """A fault in an expression; `start` and `end` are its offsets in the text."""

    def __init__(self, message: str, start: int = 0, end: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.start = start
        self.end = end


# How tightly each form binds, loosest first.
CONDITIONAL, OR, AND, NOT, COMPARE, SUM, PRODUCT, SIGN, POSTFIX = range(9)
STRENGTH = {
    "or": OR,
    "and": AND,
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">="), COMPARE),
    **dict.fromkeys(("+", "-"), SUM),
    **dict.fromkeys(("*", "/", "//", "%"), PRODUCT),
}


def children(expr: Expression) -> tuple[Expression, ...]:
    """The direct parts of an expression, in the order of the text."""
    match expr:
        case UnaryOperation():
            return (expr.operand,)
        case BinaryOperation() | Comparison():
            return (expr.left, expr.right)
        case LogicalOperation():
            return expr.operands
        case IfElse():
            return (expr.body, expr.test, expr.orelse)
        case FunctionCall():
            return expr.args
        case Indexing():
            return (expr.value, expr.index)
        case ListLiteral():
            return expr.items
        case _:
            return ()


def names(expr: Expression) -> frozenset[str]:
    """Every name that an expression mentions."""
    return frozenset(part.id for part in walk(expr) if isinstance(part, Variable))


def walk(expr: Expression) -> Iterator[Expression]:
    """Every part of an expression, itself among them."""
    parts = [expr]
    while parts:
        part = parts.pop()
        yield part
        parts.extend(children(part))


def replaced(
    expr: Expression, put: Callable[[Expression], Expression | None]
) -> Expression:
    """The expression with what `put` gives in place of a part; None leaves it.

    >>> counter = BinaryOperation("+", Variable("i"), NumberLiteral(1))
    >>> show(replaced(counter, lambda part: Variable("k") if part == Variable("i") else None))
    'k + 1'
    """
    other = put(expr)
    if other is not None:
        return other
    match expr:
        case UnaryOperation():
            return replace(expr, operand=replaced(expr.operand, put))
        case BinaryOperation() | Comparison():
            left, right = replaced(expr.left, put), replaced(expr.right, put)
            return replace(expr, left=left, right=right)
        case IfElse():
            body, test = replaced(expr.body, put), replaced(expr.test, put)
            return replace(
                expr, body=body, test=test, orelse=replaced(expr.orelse, put)
            )
        case LogicalOperation():
            return replace(expr, operands=_all_replaced(expr.operands, put))
        case FunctionCall():
            return replace(expr, args=_all_replaced(expr.args, put))
        case Indexing():
            value, index = replaced(expr.value, put), replaced(expr.index, put)
            return replace(expr, value=value, index=index)
        case ListLiteral():
            return replace(expr, items=_all_replaced(expr.items, put))
        case _:
            return expr


def _all_replaced(
    parts: tuple[Expression, ...], put: Callable[[Expression], Expression | None]
) -> tuple[Expression, ...]:
    return tuple(replaced(part, put) for part in parts)


def show(expr: Expression) -> str:
    """The text of an expression, with the parentheses that a reader needs.

    >>> show(BinaryOperation("//", BinaryOperation("+", Variable("H"), NumberLiteral(1)), NumberLiteral(2)))
    '(H + 1) // 2'
    """
    match expr:
        case NumberLiteral():
            return repr(expr.value)
        case BooleanLiteral():
            return "True" if expr.value else "False"
        case Variable():
            return expr.id
        case UnaryOperation():
            return _show_unary(expr)
        case BinaryOperation():
            return _show_binary(expr)
        case Comparison():
            sides = (_inside(side, SUM) for side in (expr.left, expr.right))
            return f" {expr.op} ".join(sides)
        case LogicalOperation():
            above = STRENGTH[expr.op] + 1
            return f" {expr.op} ".join(_inside(part, above) for part in expr.operands)
        case IfElse():
            body, test = _inside(expr.body, OR), _inside(expr.test, OR)
            return f"{body} if {test} else {show(expr.orelse)}"
        case FunctionCall():
            return f"{expr.function}({', '.join(map(show, expr.args))})"
        case Indexing():
            return f"{_inside(expr.value, POSTFIX)}[{show(expr.index)}]"
        case ListLiteral():
            return f"[{', '.join(map(show, expr.items))}]"


def _show_unary(expr: UnaryOperation) -> str:
    if expr.op == "not":
        return f"not {_inside(expr.operand, NOT)}"
    return f"{expr.op}{_inside(expr.operand, SIGN)}"


def _show_binary(expr: BinaryOperation) -> str:
    # Sums may have hundreds of terms: their left spine is walked, not recursed into.
    spine, left = [expr], expr.left
    while isinstance(left, BinaryOperation):
        spine.append(left)
        left = left.left
    text = show(left)
    for outer in reversed(spine):
        strength = STRENGTH[outer.op]
        if _strength(left) < strength or _misread(left, outer):
            text = f"({text})"
        text = f"{text} {outer.op} {_inside(outer.right, strength + 1)}"
        left = outer
    return text


def _misread(left: Expression, outer: BinaryOperation) -> bool:
    """`H // 2 * W` is right but misread; nobody misreads `(H // 2) * W`."""
    if STRENGTH[outer.op] != PRODUCT or not isinstance(left, BinaryOperation):
        return False
    return left.op == "%" or (left.op == "//" and outer.op != "//")


def _inside(expr: Expression, least: int) -> str:
    """The text of a part where only what binds as tightly as `least` goes bare."""
    text = show(expr)
    return text if _strength(expr) >= least else f"({text})"


def _strength(expr: Expression) -> int:
    match expr:
        case IfElse():
            return CONDITIONAL
        case UnaryOperation():
            return NOT if expr.op == "not" else SIGN
        case LogicalOperation() | Comparison() | BinaryOperation():
            return STRENGTH[expr.op]
        case _:
            return POSTFIX
