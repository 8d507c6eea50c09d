"""The printer against Python's parser: what is printed has the tree that was meant.

That is the tree of the same expression with every part of it in parentheses.
"""

from __future__ import annotations

import ast

from hypothesis import given, settings

from compiler.codegen import line_breaks
from compiler.codegen.expression_layout import flat, open_
from compiler.codegen.printer import print_module
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
    Slice,
    Starred,
    Subscript,
    TupleExpr,
    Unary,
)
from compiler.codegen.statement_layout import one_line, simple
from compiler.codegen.statements import Assign, ExprStatement, Module, Return
from tests.compiler.codegen.test_fixed_point import SLOW, expressions


def explicit(expr: Expr | Slice) -> str:
    """An expression with every part of it in parentheses."""
    match expr:
        case Name(id):
            return f"({id})"
        case Literal(constant):
            return "(...)" if constant is ... else f"({constant!r})"
        case Attribute(value, name):
            return f"({explicit(value)}.{name})"
        case Call(func, args, kwargs):
            parts = [*map(explicit, args), *(f"{k}={explicit(v)}" for k, v in kwargs)]
            return f"({explicit(func)}({', '.join(parts)}))"
        case Subscript(value, index):
            return f"({explicit(value)}[{', '.join(map(explicit, index))}])"
        case Slice():
            start, stop, step = map(bound, (expr.start, expr.stop, expr.step))
            return f"{start}:{stop}" + (f":{step}" if step else "")
        case TupleExpr(items):
            return "(" + "".join(f"{explicit(item)}," for item in items) + ")"
        case ListExpr(items):
            return f"[{', '.join(map(explicit, items))}]"
        case DictExpr(pairs):
            return (
                "{" + ", ".join(f"{explicit(k)}: {explicit(v)}" for k, v in pairs) + "}"
            )
        case Comprehension():
            return comprehension(expr)
        case Starred(value):
            return f"*{explicit(value)}"
        case _:
            return f"({operation(expr)})"


def bound(expr: Expr | None) -> str:
    """A bound of a slice, or nothing."""
    return "" if expr is None else explicit(expr)


def operation(expr: Expr) -> str:
    """An operation on parts in parentheses, without its own."""
    match expr:
        case Unary(op, operand):
            return f"{op} {explicit(operand)}"
        case Binary(op, left, right) | Compare(op, left, right):
            return f"{explicit(left)} {op} {explicit(right)}"
        case Logic(op, items):
            return f" {op} ".join(map(explicit, items))
        case Conditional(test, body, orelse):
            return f"{explicit(body)} if {explicit(test)} else {explicit(orelse)}"
        case Lambda(args, body):
            return f"lambda {', '.join(args)}: {explicit(body)}"
        case _:
            raise AssertionError(expr)


def comprehension(expr: Comprehension) -> str:
    """A comprehension in its own brackets."""
    only = "" if expr.condition is None else f" if {explicit(expr.condition)}"
    clauses = f"for {explicit(expr.target)} in {explicit(expr.iterable)}{only}"
    opening, closing = "[]" if expr.is_list else "()"
    return f"{opening}{explicit(expr.element)} {clauses}{closing}"


@settings(SLOW, max_examples=200)
@given(expressions)
def test_it_parses_to_the_tree_that_was_meant(expr: Expr) -> None:
    meant = ast.dump(ast.parse(f"x = {explicit(expr)}"))
    printed = print_module(Module(body=(Assign((Name("x"),), expr),)))
    assert ast.dump(ast.parse(printed)) == meant
    assert ast.dump(ast.parse(f"x = {flat(expr)}")) == meant


@settings(SLOW, max_examples=400)
@given(expressions)
def test_a_line_without_a_document_is_that_of_its_document(expr: Expr) -> None:
    assert flat(expr) == line_breaks.flat(open_(expr))
    for one in (
        Assign((Name("x"),), expr),
        Assign((Attribute(Name("x"), "y"),), expr),
        Return(expr),
        ExprStatement(Call(Name("f"), (expr,))),
    ):
        text = one_line(one)
        assert text is None or text == line_breaks.flat(simple(one))
