"""The empty lines between statements."""

from __future__ import annotations

from compiler.codegen.printer import print_module
from compiler.codegen.python import Name
from compiler.codegen.statements import (
    Blank,
    Class,
    CommentLine,
    For,
    Function,
    If,
    Import,
    Module,
    Return,
    Stmt,
    Verbatim,
    assign,
)
from tests.compiler.codegen.test_fixed_point import ruff_format


def printed(*body: Stmt) -> str:
    """The statements as text, checked against the formatter."""
    text = print_module(Module(body=body))
    assert text == ruff_format(text)
    return text


def test_empty_lines_are_those_of_the_formatter() -> None:
    one = Function("f", body=(Return(),))
    body = (
        assign("x", annotation=Name("int"), value=1),
        CommentLine("of f"),
        one,
        Blank(),
        one,
        CommentLine("at the end"),
    )
    text = printed(
        Blank(),
        assign("a", 1),
        Blank(),
        Blank(),
        assign("b", 1),
        Class("A", docstring="A class.", body=body),
        CommentLine("of B"),
        Class("B"),
        Verbatim("class C:\n    x = 1\n\n    y = 2\n"),
        assign("c", 1),
    )
    assert text == (
        "a = 1\n\nb = 1\n\n\n"
        'class A:\n    """A class."""\n\n    x: int = 1\n\n'
        "    # of f\n    def f():\n        return\n\n"
        "    def f():\n        return\n\n    # at the end\n\n\n"
        "# of B\nclass B:\n    pass\n\n\n"
        "class C:\n    x = 1\n\n    y = 2\n\n\nc = 1\n"
    )


def test_definitions_within_branches() -> None:
    one = Function("f", body=(Return(),))
    branch = If(Name("x"), (Blank(), one, Blank()), (CommentLine("of f"), one))
    text = printed(
        branch, CommentLine("behind"), For(Name("i"), Name("x"), (one,)), branch
    )
    assert text.startswith(
        "if x:\n\n    def f():\n        return\nelse:\n    # of f\n    def f():\n"
    )
    assert "\n        return\n\n\n# behind\nfor i in x:\n\n    def f():\n" in text


def test_imports_within_a_function() -> None:
    body = (Import("math"), Import("torch"), Return(Name("math.pi")))
    assert printed(Function("f", docstring="F.", body=body)) == (
        'def f():\n    """F."""\n'
        "    import math\n    import torch\n\n    return math.pi\n"
    )
