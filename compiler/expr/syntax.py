"""The tree of the small expression language, and its printer.

It stands apart from the parser so that the algebra of shapes, which the evaluator
needs, can print itself as an expression too.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class Node:
    """A part of an expression; `start` and `end` are its offsets in the text."""

    start: int = field(default=0, compare=False, kw_only=True)
    end: int = field(default=0, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Number(Node):
    """A literal that is not negative: `3`, `0.1`, `3e-4`."""

    value: int | float


@dataclass(frozen=True, slots=True)
class Boolean(Node):
    """`true` or `false` (`True` and `False` mean the same)."""

    value: bool


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A param, a symbol of a dimension or a counter."""

    id: str


@dataclass(frozen=True, slots=True)
class Unary(Node):
    """`-x`, `+x` or `not x`."""

    op: str
    operand: "Expr"


@dataclass(frozen=True, slots=True)
class Binary(Node):
    """One of `+ - * / // %` between two operands."""

    op: str
    left: "Expr"
    right: "Expr"


@dataclass(frozen=True, slots=True)
class Compare(Node):
    """One of `== != < <= > >=`; comparisons do not chain."""

    op: str
    left: "Expr"
    right: "Expr"


@dataclass(frozen=True, slots=True)
class Logic(Node):
    """`and` or `or` between two operands or more, evaluated from the left."""

    op: str
    operands: tuple["Expr", ...]


@dataclass(frozen=True, slots=True)
class IfElse(Node):
    """`body if test else orelse`."""

    test: "Expr"
    body: "Expr"
    orelse: "Expr"


@dataclass(frozen=True, slots=True)
class Call(Node):
    """`min`, `max`, `ceil_div` or `len` of its arguments."""

    function: str
    args: tuple["Expr", ...]


@dataclass(frozen=True, slots=True)
class Index(Node):
    """`value[index]`."""

    value: "Expr"
    index: "Expr"


@dataclass(frozen=True, slots=True)
class Listing(Node):
    """`[a, b, c]`."""

    items: tuple["Expr", ...]


Expr = (
    Number
    | Boolean
    | Name
    | Unary
    | Binary
    | Compare
    | Logic
    | IfElse
    | Call
    | Index
    | Listing
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


def children(expr: Expr) -> tuple[Expr, ...]:
    """The direct parts of an expression, in the order of the text."""
    match expr:
        case Unary():
            return (expr.operand,)
        case Binary() | Compare():
            return (expr.left, expr.right)
        case Logic():
            return expr.operands
        case IfElse():
            return (expr.body, expr.test, expr.orelse)
        case Call():
            return expr.args
        case Index():
            return (expr.value, expr.index)
        case Listing():
            return expr.items
        case _:
            return ()


def names(expr: Expr) -> frozenset[str]:
    """Every name that an expression mentions."""
    return frozenset(part.id for part in walk(expr) if isinstance(part, Name))


def walk(expr: Expr) -> Iterator[Expr]:
    """Every part of an expression, itself among them."""
    parts = [expr]
    while parts:
        part = parts.pop()
        yield part
        parts.extend(children(part))


def replaced(expr: Expr, put: Callable[[Expr], Expr | None]) -> Expr:
    """The expression with what `put` gives in place of a part; None leaves it.

    >>> show(replaced(Binary("+", Name("i"), Number(1)), lambda part: Name("k") if part == Name("i") else None))
    'k + 1'
    """
    other = put(expr)
    if other is not None:
        return other
    match expr:
        case Unary():
            return replace(expr, operand=replaced(expr.operand, put))
        case Binary() | Compare():
            left, right = replaced(expr.left, put), replaced(expr.right, put)
            return replace(expr, left=left, right=right)
        case IfElse():
            body, test = replaced(expr.body, put), replaced(expr.test, put)
            return replace(
                expr, body=body, test=test, orelse=replaced(expr.orelse, put)
            )
        case Logic():
            return replace(expr, operands=_all_replaced(expr.operands, put))
        case Call():
            return replace(expr, args=_all_replaced(expr.args, put))
        case Index():
            value, index = replaced(expr.value, put), replaced(expr.index, put)
            return replace(expr, value=value, index=index)
        case Listing():
            return replace(expr, items=_all_replaced(expr.items, put))
        case _:
            return expr


def _all_replaced(
    parts: tuple[Expr, ...], put: Callable[[Expr], Expr | None]
) -> tuple[Expr, ...]:
    return tuple(replaced(part, put) for part in parts)


def show(expr: Expr) -> str:
    """The text of an expression, with the parentheses that a reader needs.

    >>> show(Binary("//", Binary("+", Name("H"), Number(1)), Number(2)))
    '(H + 1) // 2'
    """
    match expr:
        case Number():
            return repr(expr.value)
        case Boolean():
            return "True" if expr.value else "False"
        case Name():
            return expr.id
        case Unary():
            return _show_unary(expr)
        case Binary():
            return _show_binary(expr)
        case Compare():
            sides = (_inside(side, SUM) for side in (expr.left, expr.right))
            return f" {expr.op} ".join(sides)
        case Logic():
            above = STRENGTH[expr.op] + 1
            return f" {expr.op} ".join(_inside(part, above) for part in expr.operands)
        case IfElse():
            body, test = _inside(expr.body, OR), _inside(expr.test, OR)
            return f"{body} if {test} else {show(expr.orelse)}"
        case Call():
            return f"{expr.function}({', '.join(map(show, expr.args))})"
        case Index():
            return f"{_inside(expr.value, POSTFIX)}[{show(expr.index)}]"
        case Listing():
            return f"[{', '.join(map(show, expr.items))}]"


def _show_unary(expr: Unary) -> str:
    if expr.op == "not":
        return f"not {_inside(expr.operand, NOT)}"
    return f"{expr.op}{_inside(expr.operand, SIGN)}"


def _show_binary(expr: Binary) -> str:
    # Sums may have hundreds of terms: their left spine is walked, not recursed into.
    spine, left = [expr], expr.left
    while isinstance(left, Binary):
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


def _misread(left: Expr, outer: Binary) -> bool:
    """`H // 2 * W` is right but misread; nobody misreads `(H // 2) * W`."""
    if STRENGTH[outer.op] != PRODUCT or not isinstance(left, Binary):
        return False
    return left.op == "%" or (left.op == "//" and outer.op != "//")


def _inside(expr: Expr, least: int) -> str:
    """The text of a part where only what binds as tightly as `least` goes bare."""
    text = show(expr)
    return text if _strength(expr) >= least else f"({text})"


def _strength(expr: Expr) -> int:
    match expr:
        case IfElse():
            return CONDITIONAL
        case Unary():
            return NOT if expr.op == "not" else SIGN
        case Logic() | Compare() | Binary():
            return STRENGTH[expr.op]
        case _:
            return POSTFIX
