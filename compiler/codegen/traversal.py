"""Walking expressions and statements, and the names that they use."""

from __future__ import annotations

import ast
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

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
from compiler.codegen.statements import (
    Assign,
    AugAssign,
    Blank,
    Class,
    CommentLine,
    ExprStatement,
    For,
    Function,
    If,
    Import,
    Raise,
    Return,
    Stmt,
    Verbatim,
)

CodeNode = Expr | Slice | Stmt


def children(expr: Expr | Slice) -> tuple[Expr | Slice, ...]:
    """The direct parts of an expression, in print order."""
    return _PARTS[type(expr)](expr)


def _of_call(expr: Call) -> tuple[Expr, ...]:
    if not expr.kwargs:
        return (expr.func, *expr.args)
    return (expr.func, *expr.args, *[value for _, value in expr.kwargs])


def _of_slice(part: Slice) -> tuple[Expr, ...]:
    return tuple(x for x in (part.start, part.stop, part.step) if x is not None)


def _of_comprehension(expr: Comprehension) -> tuple[Expr, ...]:
    last = () if expr.condition is None else (expr.condition,)
    return (expr.element, expr.target, expr.iterable, *last)


_PARTS: Mapping[type, Callable[[Any], tuple[Expr | Slice, ...]]] = {
    Name: lambda _: (),
    Literal: lambda _: (),
    Placeholder: lambda _: (),
    Call: _of_call,
    Attribute: lambda expr: (expr.value,),
    Starred: lambda expr: (expr.value,),
    Unary: lambda expr: (expr.operand,),
    Lambda: lambda expr: (expr.body,),
    Subscript: lambda expr: (expr.value, *expr.index),
    Slice: _of_slice,
    TupleExpr: lambda expr: expr.items,
    ListExpr: lambda expr: expr.items,
    Logic: lambda expr: expr.items,
    DictExpr: lambda expr: tuple(x for pair in expr.items for x in pair),
    Binary: lambda expr: (expr.left, expr.right),
    Compare: lambda expr: (expr.left, expr.right),
    Conditional: lambda expr: (expr.body, expr.test, expr.orelse),
    Comprehension: _of_comprehension,
}
"""The parts of an expression by its type."""
_LEAF = (Name, Literal, Placeholder)
_LEAVES = frozenset(_LEAF)
"""The kinds of expressions that have no parts."""


def walk(expr: Expr) -> Iterator[Expr | Slice]:
    """The expression and all its parts, parents first, left to right; not recursive, so any depth works."""
    pending: list[Expr | Slice] = [expr]
    while pending:
        node = pending.pop()
        yield node
        pending += children(node)[::-1]


def placeholders(expr: Expr) -> list[Hashable]:
    """The keys of the placeholders of an expression, left to right."""
    found: list[Hashable] = []
    pending: list[Expr | Slice] = [expr]
    while pending:
        node = pending.pop()
        kind = type(node)
        if isinstance(node, Placeholder):
            found.append(node.key)
        elif kind not in _LEAVES:
            pending += _PARTS[kind](node)[::-1]
    return found


def filled(expr: Expr, fill: Callable[[Hashable], Expr]) -> Expr:
    """The expression with what `fill` gives for their keys in place of its placeholders."""
    if isinstance(expr, Placeholder):
        return fill(expr.key)
    return mapped(expr, lambda part: filled(part, fill))


def map_line(line: Stmt, one: Callable[[Expr], Expr]) -> Stmt:
    """A plain statement, such as `reset_parameters` has, with each of its expressions replaced."""
    match line:
        case For(_, iterable, body):
            inside = tuple(map_line(x, one) for x in body)
            return replace(line, iterable=one(iterable), body=inside)
        case If(test, body, orelse):
            then, other = (
                tuple(map_line(x, one) for x in part) for part in (body, orelse)
            )
            return replace(line, test=one(test), body=then, orelse=other)
        case ExprStatement(value):
            return replace(line, value=one(value))
        case Assign(value=value) if value is not None:
            return replace(line, value=one(value))
    return line


def mapped(expr: Expr, one: Callable[[Expr], Expr]) -> Expr:
    """The expression with each direct part replaced by what `one` makes of it."""
    if isinstance(expr, _LEAF):
        return expr
    match expr:
        case Call(func, args, kwargs):
            keywords = [(key, one(value)) for key, value in kwargs] if kwargs else ()
            return Call(one(func), tuple(map(one, args)), tuple(keywords))
        case Attribute(value, name):
            return Attribute(one(value), name)
        case Subscript(value, places):
            return Subscript(one(value), tuple(_place(x, one) for x in places))
        case TupleExpr() | ListExpr():
            return type(expr)(tuple(map(one, expr.items)))
        case Starred(value):
            return Starred(one(value))
        case Binary() | Compare():
            return type(expr)(expr.op, one(expr.left), one(expr.right))
    return _mapped(expr, one)


def _mapped(
    expr: DictExpr | Logic | Unary | Lambda | Conditional | Comprehension,
    one: Callable[[Expr], Expr],
) -> Expr:
    match expr:
        case Logic(op, items):
            return Logic(op, tuple(map(one, items)))
        case DictExpr(pairs):
            return DictExpr(tuple((one(key), one(value)) for key, value in pairs))
        case Unary(op, operand):
            return Unary(op, one(operand))
        case Lambda(args, body):
            return Lambda(args, one(body))
        case Conditional(test, body, orelse):
            return Conditional(one(test), one(body), one(orelse))
        case Comprehension(element, target, iterable, condition, is_list):
            last = None if condition is None else one(condition)
            parts = one(element), one(target), one(iterable)
            return Comprehension(*parts, last, is_list)


def _place(place: Expr | Slice, one: Callable[[Expr], Expr]) -> Expr | Slice:
    """An index or a slice, each of its parts replaced."""
    if not isinstance(place, Slice):
        return one(place)
    start, stop, step = (
        None if x is None else one(x) for x in (place.start, place.stop, place.step)
    )
    return Slice(start, stop, step)


def used_names(*nodes: Expr | Stmt | Iterable[Expr | Stmt]) -> frozenset[str]:
    """The names that expressions and statements read, each by its first component.

    `F.relu(self.scale * x)` uses `F`, `self` and `x`. A name that is only assigned, or
    that a comprehension or lambda binds, is not used; `self.x = y` uses `self`.
    """
    found: set[str] = set()
    pending: list[tuple[CodeNode, frozenset[str]]] = [
        (n, frozenset()) for n in _flatten(nodes)
    ]
    while pending:
        node, bound = pending.pop()
        if isinstance(node, Name):
            name = node.id.partition(".")[0]
            if name not in bound:
                found.add(name)
        elif isinstance(node, Verbatim):
            tree = ast.walk(ast.parse(node.text))
            found |= {part.id for part in tree if isinstance(part, ast.Name)}
        else:
            pending.extend(_parts(node, bound))
    return frozenset(found)


def _flatten(
    nodes: Iterable[Expr | Stmt | Iterable[Expr | Stmt]],
) -> Iterator[Expr | Stmt]:
    for node in nodes:
        if isinstance(node, Iterable):
            yield from node
        else:
            yield node


def _parts(
    node: CodeNode, bound: frozenset[str]
) -> Iterator[tuple[CodeNode, frozenset[str]]]:
    """The parts that a node reads, each with the names bound around it."""
    match node:
        case Comprehension(element, target, iterable, condition):
            yield iterable, bound
            inner = bound | _bound_names(target)
            yield from ((x, inner) for x in (element, condition) if x is not None)
        case Lambda(args, body):
            yield body, bound | set(args)
        case _:
            of = _PARTS.get(type(node))
            parts = _plain_parts(node) if of is None else of(node)
            yield from [(part, bound) for part in parts]


def _plain_parts(node: CodeNode) -> Iterator[CodeNode]:
    """The parts of a statement."""
    match node:
        case Assign(targets, value, annotation):
            for target in targets:
                yield from _read_in_target(target)
            yield from (x for x in (annotation, value) if x is not None)
        case AugAssign(target, _, value):
            yield from (target, value)
        case ExprStatement(value) | Raise(value):
            yield value
        case Return(value):
            yield from () if value is None else (value,)
        case For(target, iterable, body):
            yield from (*_read_in_target(target), iterable, *body)
        case If(test, body, orelse):
            yield from (test, *body, *orelse)
        case Function():
            yield from _signature(node)
            yield from node.body
        case Class():
            yield from (*node.decorators, *node.bases, *node.body)
        case Import() | CommentLine() | Verbatim() | Blank():
            pass


def _signature(node: Function) -> Iterator[Expr]:
    yield from node.decorators
    for param in node.params:
        yield from (x for x in (param.annotation, param.default) if x is not None)
    if node.returns is not None:
        yield node.returns


def _read_in_target(target: Expr) -> Iterator[Expr]:
    """The parts of an assignment target that are read: all except plain names."""
    if isinstance(target, TupleExpr | ListExpr):
        for item in target.items:
            yield from _read_in_target(item)
    elif isinstance(target, Starred):
        yield from _read_in_target(target.value)
    elif not isinstance(target, Name) or "." in target.id:
        yield target


def _bound_names(target: Expr) -> frozenset[str]:
    return frozenset(
        n.id for n in walk(target) if isinstance(n, Name) and "." not in n.id
    )
