"""Printing a module as formatted text.

The result does not change under `ruff format` with default settings, which the tests
check. A line that does not fit with its comment breaks at its outermost brackets, one
item per line. A comment that does not fit even then is placed above its statement.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from compiler.codegen import escaping
from compiler.codegen.blank_lines import starts_definition, with_blank_lines
from compiler.codegen.expression_layout import open_
from compiler.codegen.imports import sections
from compiler.codegen.line_breaks import INDENT, Doc, Optional, render
from compiler.codegen.statement_layout import Simple, head, one_line, simple
from compiler.codegen.statements import (
    Blank,
    Class,
    CommentLine,
    For,
    Function,
    If,
    Import,
    Module,
    Stmt,
    Verbatim,
)

WIDTH = 88


def print_module(module: Module, width: int = WIDTH) -> str:
    """The text of a module, with lines of at most `width` columns where breaks allow it."""
    statements: list[Stmt] = []
    for section in sections(module.imports):
        statements += [*section, Blank()]
    statements += module.body
    lines = _CodePrinter(width).module(module.docstring, statements)
    return "".join(line + "\n" for line in lines)


class _CodePrinter:
    def __init__(self, width: int) -> None:
        self.width = width

    def module(self, doc: str, body: Sequence[Stmt]) -> Iterator[str]:
        """The lines of a module."""
        if not doc.strip():
            yield from self._suite(body, 0, 0)
            return
        yield escaping.docstring(doc, 0)
        yield from self._suite(body, 0, 2 if starts_definition(body) else 1)

    def _suite(self, body: Sequence[Stmt], indent: int, first: int) -> Iterator[str]:
        for stmt, gap in with_blank_lines(body, first, far=1 if indent else 2):
            yield from [""] * gap
            yield from self._statement(stmt, indent)

    def _statement(self, stmt: Stmt, indent: int) -> Iterator[str]:
        match stmt:
            case Function() | Class():
                yield from self._definition(stmt, indent)
            case For():
                yield from self._line(head(stmt), stmt.comment, indent)
                yield from self._branch(stmt.body, indent + INDENT)
            case If():
                yield from self._if(stmt, indent)
            case CommentLine(note):
                yield " " * indent + (escaping.comment(note) or "#")
            case Verbatim(source):
                yield textwrap.indent(source.strip("\n"), " " * indent)
            case Blank():
                yield ""
            case _:
                yield from self._simple(stmt, indent)

    def _simple(self, stmt: Simple, indent: int) -> Iterator[str]:
        """The lines of a simple statement; of most it is one, and nothing need be laid out."""
        note = "" if isinstance(stmt, Import) else stmt.comment
        text = one_line(stmt)
        if text is not None:
            remark = escaping.comment(note)
            line = " " * indent + (f"{text}  {remark}" if remark else text)
            if len(line) <= self.width:
                yield line
                return
        yield from self._line(simple(stmt), note, indent)

    def _line(self, doc: Doc, note: str, indent: int) -> Iterator[str]:
        """A logical line with its comment after it, for which it may break; above it where no break helps."""
        pad = " " * indent
        line = pad + render(doc, indent, self.width)
        remark = escaping.comment(note)
        if not remark:
            yield line
            return
        ended = pad + render([_open(doc), f"  {remark}"], indent, self.width)
        if all(len(part) <= self.width for part in ended.split("\n")):
            yield ended
        else:
            yield from (pad + remark, line)

    def _definition(self, stmt: Function | Class, indent: int) -> Iterator[str]:
        for decorator in stmt.decorators:
            yield from self._line(["@", open_(decorator)], "", indent)
        yield from self._line(head(stmt), "", indent)
        inner = indent + INDENT
        if not stmt.docstring.strip():
            yield from self._block(stmt.body, inner)
            return
        yield " " * inner + escaping.docstring(stmt.docstring, inner)
        is_near = isinstance(stmt, Function) and not starts_definition(stmt.body)
        yield from self._suite(stmt.body, inner, 0 if is_near else 1)

    def _branch(self, body: Sequence[Stmt], indent: int) -> Iterator[str]:
        is_far = starts_definition(body, after_comments=False)
        yield from self._block(body, indent, 1 if is_far else 0)

    def _block(
        self, body: Sequence[Stmt], indent: int, first: int = 0
    ) -> Iterator[str]:
        yield from self._suite(body, indent, first)
        if all(isinstance(stmt, CommentLine | Blank) for stmt in body):
            yield " " * indent + "pass"

    def _if(self, stmt: If, indent: int) -> Iterator[str]:
        word: list[Doc] = []
        while True:
            yield from self._line([*word, head(stmt)], stmt.comment, indent)
            yield from self._branch(stmt.body, indent + INDENT)
            if len(stmt.orelse) != 1 or not isinstance(stmt.orelse[0], If):
                break
            stmt = stmt.orelse[0]
            word = ["el"]
        if stmt.orelse:
            yield " " * indent + "else:"
            yield from self._branch(stmt.orelse, indent + INDENT)


def _open(doc: Doc) -> Doc:
    """A line that breaks at its own brackets: one that ends in a comment gets no parentheses to help it."""
    if not isinstance(doc, list):
        return doc
    return [x.open if isinstance(x, Optional) and x.best else x for x in doc]
