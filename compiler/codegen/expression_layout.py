"""Expressions as layout documents (`line_breaks`)."""

from __future__ import annotations

from itertools import pairwise
from types import EllipsisType
from typing import TypeGuard

from compiler.codegen import line_breaks
from compiler.codegen.escaping import number, string
from compiler.codegen.line_breaks import (
    SOFT,
    SPACE,
    Doc,
    Group,
    Hug,
    IfBroken,
    Indent,
    Optional,
    brackets,
    joined,
    parenthesized,
    parenthesized_if_broken,
)
from compiler.codegen.operator_layout import (
    is_simple_bound,
    is_simple_power_operand,
    terms,
)
from compiler.codegen.parentheses import (
    Bracketed,
    Parentheses,
    breaks_in_brackets,
    is_fluent,
    parentheses,
)
from compiler.codegen.precedence import (
    OR,
    is_negative,
    is_wrapped,
    is_wrapped_base,
    operands,
)
from compiler.codegen.python import (
    Attribute,
    Binary,
    Call,
    Compare,
    Comprehension,
    Conditional,
    DictExpr,
    Expr,
    Lambda,
    ListExpr,
    Literal,
    Logic,
    Name,
    Placeholder,
    Slice,
    Starred,
    Subscript,
    TupleExpr,
    Unary,
)


def value(expr: Expr, best: bool = True) -> Doc:
    """An expression that ends a statement or its head, with optional parentheses.

    With `best`, an expression without operators is parenthesised only if it then fits
    on the line.
    """
    need = parentheses(expr)
    if need is Parentheses.NEVER:
        return open_(expr)
    if best and need is Parentheses.IF_THEY_HELP:
        same = open_(expr)  # it can break within brackets only
        return Optional(same, same, best=True)
    if breaks_in_brackets(expr):
        return Optional(open_(expr), inside(expr), best=False)
    return parenthesized_if_broken(inside(expr))


def assigned(expr: Expr) -> Doc:
    """Same as `value`, after `=` or `return`: a lambda is not parenthesised itself."""
    if isinstance(expr, Lambda):
        return Optional(open_(expr), inside(expr), best=False)
    return value(expr)


def open_(expr: Expr) -> Doc:
    """An expression that can break only within its own brackets."""
    return _build(expr, within=False)


def inside(expr: Expr) -> Doc:
    """An expression within brackets, which can also break between its operands."""
    return _build(expr, within=True)


def flat(expr: Expr) -> str:
    """An expression on one line, whatever its length: the same text as that of its document, mostly without one.

    >>> from compiler.codegen.python import call, lit
    >>> flat(call("F.relu", Name("x"), inplace=lit(True)))
    'F.relu(x, inplace=True)'
    """
    match expr:
        case Name(id):
            return id
        case Literal():
            return literal(expr)
        case Attribute() | Call() if isinstance(_base(expr), Name):
            return _flat_chain(expr)
        case Binary(op, left, right) if op != "**":
            if isinstance(left, _BARE) and isinstance(right, _BARE):
                return f"{flat(left)} {op} {flat(right)}"
    return line_breaks.flat(open_(expr))


_BARE = (Name, Attribute, Call)
"""What needs no parentheses as a part of other expressions."""


def _base(expr: Expr) -> Expr:
    """What a chain of attributes and calls begins with."""
    while True:
        if isinstance(expr, Attribute):
            expr = expr.value
        elif isinstance(expr, Call) and not _is_generated(expr.args, expr.kwargs):
            expr = expr.func
        else:
            return expr


def _flat_chain(expr: Expr) -> str:
    """A chain of attributes and calls that begins with a name, on one line."""
    parts: list[str] = []
    while not isinstance(expr, Name):
        if isinstance(expr, Attribute):
            parts.append(f".{expr.attr}")
            expr = expr.value
        else:
            assert isinstance(expr, Call)
            items = [flat(arg) for arg in expr.args]
            items += [f"{key}={flat(arg)}" for key, arg in expr.kwargs]
            parts.append(f"({', '.join(items)})")
            expr = expr.func
    return expr.id + "".join(reversed(parts))


def targets(items: tuple[Expr, ...]) -> Doc:
    """The targets of an assignment or a loop; a tuple has no parentheses."""
    sole = items[0]
    if len(items) == 1 and isinstance(sole, TupleExpr) and len(sole.items) > 1:
        items = sole.items
    if len(items) == 1:
        return open_(items[0])
    return parenthesized_if_broken(joined([inside(item) for item in items], True))


def _build(expr: Expr, within: bool) -> Doc:
    match expr:
        case Name(id):
            return id
        case Literal():
            return literal(expr)
        case Attribute() | Call() | Subscript():
            return _chain(expr, within)
        case Binary() | Compare() | Logic():
            parts = _operation(expr, within)
            return Group(parts) if within else parts
        case Unary(op):
            operand, wrapped = next(operands(expr))
            return [f"{op} " if op == "not" else op, _part(operand, wrapped, within)]
        case Conditional():
            parts = _conditional(expr, within)
            return Group(parts) if within else parts
        case Starred():
            return ["*", *(_part(x, wrapped, within) for x, wrapped in operands(expr))]
        case Lambda():
            return _lambda(expr)
        case Comprehension():
            return _comprehension(expr)
        case Placeholder(key):
            raise ValueError(f"{key} has no expression yet")
        case _:
            return _display(expr)


def literal(expr: Literal) -> str:
    """A constant as a Python literal."""
    match expr.value:
        case None | bool():
            return str(expr.value)
        case str(text):
            return string(text)
        case EllipsisType():
            return "..."
        case number_value:
            sign = "-" if is_negative(number_value) else ""
            return sign + number(number_value)


def _part(expr: Expr, wrapped: bool, within: bool) -> Doc:
    return parenthesized(inside(expr)) if wrapped else _build(expr, within)


def _display(expr: TupleExpr | ListExpr | DictExpr) -> Doc:
    if isinstance(expr, DictExpr):
        pairs: list[Doc] = [[inside(key), ": ", _keyword(v)] for key, v in expr.items]
        return brackets("{", pairs, "}")
    items = [inside(item) for item in expr.items]
    if isinstance(expr, ListExpr):
        return brackets("[", items, "]")
    if len(items) == 1:
        items = [[items[0], ","]]
    return brackets("(", items, ")")


def _keyword(expr: Expr) -> Doc:
    """The value of a keyword argument or dict item; operators are parenthesised if they break."""
    if isinstance(expr, Binary | Compare | Logic | Conditional):
        return parenthesized_if_broken(inside(expr))
    return inside(expr)


def _chain(expr: Expr, within: bool) -> Doc:
    """A chain of attributes, calls and subscripts."""
    links: list[Attribute | Call | Subscript] = []
    fluent = within and is_fluent(expr)
    base = expr
    while isinstance(base, Attribute | Call | Subscript):
        links.append(base)
        base = base.func if isinstance(base, Call) else base.value
        if is_wrapped_base(base):
            break
    parts: list[Doc] = [_part(base, bool(links) and is_wrapped_base(base), within)]
    for link in reversed(links):
        if fluent and isinstance(link, Attribute) and _is_called(link.value):
            parts.append(SOFT)
        parts.append(_link(link))
    return Group(parts) if fluent else parts


def _is_called(base: Expr) -> bool:
    return isinstance(base, Call | Subscript) or is_wrapped_base(base)


def _link(link: Attribute | Call | Subscript) -> Doc:
    match link:
        case Attribute(_, attr):
            return f".{attr}"
        case Call(_, args, kwargs):
            return _arguments(args, kwargs)
        case Subscript(_, index):
            items = [_index(part) for part in index]
            return brackets("[", items, "]", together=True)


def _arguments(args: tuple[Expr, ...], kwargs: tuple[tuple[str, Expr], ...]) -> Doc:
    if _is_generated(args, kwargs):
        return Group(["(", Indent([SOFT, _clauses(args[0])]), SOFT, ")"])
    items = [inside(arg) for arg in args]
    items += [[f"{key}=", _keyword(arg)] for key, arg in kwargs]
    return brackets("(", items, ")", together=True)


def _is_generated(
    args: tuple[Expr, ...], kwargs: tuple[tuple[str, Expr], ...]
) -> TypeGuard[tuple[Comprehension]]:
    """Whether the only argument is a generator, which needs no parentheses of its own."""
    only = args[0] if len(args) == 1 and not kwargs else None
    return isinstance(only, Comprehension) and not only.is_list


def _index(part: Expr | Slice) -> Doc:
    if not isinstance(part, Slice):
        return inside(part)
    bounds = (part.start, part.stop, part.step)
    tight = all(x is None or is_simple_bound(x) for x in bounds)
    colon = ":" if tight else " :"
    gap = "" if tight else " "
    doc: list[Doc] = [":" if part.start is None else [inside(part.start), colon]]
    if part.stop is not None:
        doc += [gap, inside(part.stop)]
    if part.step is not None:
        doc += [":" if part.stop is None else colon, gap, inside(part.step)]
    return doc


def _operation(expr: Binary | Compare | Logic, within: bool) -> list[Doc]:
    """Operands and operators of equal precedence; each operator can start a line."""
    run, operators = terms(expr)
    parts: list[Doc] = [_part(*run[0], within)]
    for (left, right), op in zip(pairwise(run), operators, strict=True):
        if (
            op == "**"
            and is_simple_power_operand(*left)
            and is_simple_power_operand(*right)
        ):
            parts += [SOFT, op, IfBroken(" ")] if within else [op]
        else:
            parts += [SPACE if within else " ", f"{op} "]
        parts.append(_part(*right, within))
    return parts


def _conditional(expr: Conditional, within: bool) -> list[Doc]:
    (body, b), (test, t), (orelse, o) = operands(expr)
    space: Doc = SPACE if within else " "
    parts = [
        _part(body, b, within),
        space,
        "if ",
        _part(test, t, within),
        space,
        "else ",
    ]
    if isinstance(orelse, Conditional) and not o:
        return [*parts, *_conditional(orelse, within)]
    return [*parts, _part(orelse, o, within)]


def _lambda(expr: Lambda) -> Doc:
    body = expr.body
    head = f"lambda {', '.join(expr.args)}: " if expr.args else "lambda: "
    if isinstance(body, Call | Subscript) and not is_fluent(body):
        return [head, Hug(inside(body))]
    if isinstance(body, Bracketed):
        return [head, open_(body)]
    return [head, parenthesized_if_broken(inside(body))]


def _comprehension(expr: Comprehension) -> Doc:
    left, right = "[]" if expr.is_list else "()"
    return Group([left, Indent([SOFT, _clauses(expr)]), SOFT, right])


def _clauses(expr: Comprehension) -> Doc:
    iterable = _part(expr.iterable, is_wrapped(expr.iterable, OR), True)
    target = targets((expr.target,))
    parts = [Group(inside(expr.element)), SPACE, "for ", target, " in ", iterable]
    if expr.condition is not None:
        condition = _part(expr.condition, is_wrapped(expr.condition, OR), True)
        parts += [SPACE, "if ", condition]
    return Group(parts)
