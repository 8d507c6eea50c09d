"""Text stays where it is put: no string, comment or docstring ends before its end."""

from __future__ import annotations

import ast
import inspect
import io
import tokenize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.codegen.escaping import comment, docstring, string
from compiler.codegen.printer import print_module
from compiler.codegen.python import Literal, Name
from compiler.codegen.statements import Assign, CommentLine, Function, Module, Return
from tests.compiler.codegen.test_fixed_point import ruff_format

# All characters, surrogates too, and often those that could do harm.
HARMFUL = st.sampled_from(
    [*"\"'\\\n\r\t#\0\x0c\x1b{\u2028\u202e\u00a0\ufeff\ud800\U0001f680"]
) | st.sampled_from(['"""', "\\N{", "noqa", "fmt: off"])
ANYTHING = st.lists(
    HARMFUL | st.characters(exclude_categories=()) | st.text(max_size=5), max_size=15
).map("".join)


@given(ANYTHING)
def test_a_string_is_read_back(value: str) -> None:
    literal = string(value)
    assert ast.literal_eval(literal) == value
    assert literal.isprintable()


@given(ANYTHING)
def test_a_comment_is_one_comment(value: str) -> None:
    source = f"x = 1\n{comment(value)}\ny = 2\n"
    assert ast.dump(ast.parse(source)) == ast.dump(ast.parse("x = 1\ny = 2"))
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    assert sum(token.type == tokenize.COMMENT for token in tokens) <= 1
    assert comment(value).isprintable()
    source.encode()


@given(ANYTHING)
def test_a_docstring_is_read_back(value: str) -> None:
    if not value.strip():
        return
    source = f"def f():\n    {docstring(value, 4)}\n    return 1\n"
    source.encode()
    [function] = ast.parse(source).body
    assert isinstance(function, ast.FunctionDef)
    assert len(function.body) == 2
    wanted = value.replace("\r\n", "\n").strip()
    found = ast.get_docstring(function, clean=False) or ""
    if "\n" not in wanted:
        assert found == wanted
    else:  # lines keep their words; their indentation is the function's
        lines = [line.strip(" ") for line in wanted.split("\n")]
        assert [line.strip(" ") for line in found.rstrip(" \n").split("\n")] == [
            line.rstrip() for line in lines
        ]


@given(st.lists(ANYTHING, min_size=20, max_size=20))
def test_ruff_leaves_texts_alone(texts: list[str]) -> None:
    body = [
        stmt
        for i, text in enumerate(texts)
        for stmt in (
            Function(f"f{i}", docstring=text, body=(Return(Literal(text), text),)),
            CommentLine(text),
            Assign((Name("x"),), Literal(text), comment=text),
        )
    ]
    printed = print_module(Module(texts[0], (), tuple(body)))
    assert printed == ruff_format(printed)


PRAGMAS = """
    noqa|NOQA: E501|type: ignore|fmt: off|fmt:skip|isort: skip_file|ruff: noqa|# noqa
    mypy: ignore-errors|pyright: basic|pylint: disable=all|x # type: ignore
    x; fmt: skip|-*- coding: utf-7 -*-
"""


@pytest.mark.parametrize("text", PRAGMAS.strip().replace("\n", "|").split("|"))
def test_a_comment_instructs_no_tool(text: str) -> None:
    assert "\\x" in comment(text)


@pytest.mark.parametrize(
    "text",
    ["[B, T, 3 * D]", "of type float", "format: any", "é → ñ", "# not a tool"],
)
def test_a_plain_comment_is_left_as_it_is(text: str) -> None:
    assert comment(text) == f"# {text}"


def test_docstrings_move_as_a_whole() -> None:
    text = """First.

        tokens: int[B, T]
            -> logits

        Last.
    """
    assert docstring(text, 4) == (
        '"""First.\n\n    tokens: int[B, T]\n        -> logits\n\n    Last.\n    """'
    )
    assert inspect.cleandoc(docstring(text, 4).strip('"')).startswith(
        "First.\n\ntokens"
    )


def test_quotes_are_those_that_need_fewer_escapes() -> None:
    assert string("it's") == '"it\'s"'
    assert string('say "x"') == "'say \"x\"'"
    assert string("'\"") == '"\'\\""'
    assert string("é →\u202e漢") == '"é →\\u202e\\u6f22"'
