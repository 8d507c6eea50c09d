"""The blank lines between statements, as in the formatter."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from compiler.codegen.statements import (
    Blank,
    Class,
    CommentLine,
    For,
    Function,
    If,
    Import,
    Stmt,
    Verbatim,
)

_DEFINITION = re.compile(r"(?:#.*\n)*(?:@|class |def |async def )")


def with_blank_lines(
    body: Sequence[Stmt], first: int, far: int
) -> Iterator[tuple[Stmt, int]]:
    """Statements without the Blanks, each with the number of blank lines above it.

    There are `first` above the first statement, `far` around definitions, and one at a
    Blank and after imports. Comments directly above a definition belong to it.
    """
    before: Stmt | None = None
    is_attached = is_blank = False
    for stmt, leads in zip(body, _leads_definition(body), strict=True):
        if isinstance(stmt, Blank):
            is_blank = True
            continue
        if before is None:
            gap = first
        elif is_attached:
            gap = 0
        elif leads or _ends_definition(before):
            gap = far
        else:
            imports_end = isinstance(before, Import) and not isinstance(stmt, Import)
            gap = int(is_blank or imports_end)
        yield stmt, gap
        is_attached = leads and isinstance(stmt, CommentLine)
        before, is_blank = stmt, False


def starts_definition(body: Sequence[Stmt], after_comments: bool = True) -> bool:
    """Whether a body starts with a definition, or with comments above one."""
    passed = CommentLine | Blank if after_comments else Blank
    first = next((stmt for stmt in body if not isinstance(stmt, passed)), None)
    return first is not None and _starts_definition(first)


def _leads_definition(body: Sequence[Stmt]) -> list[bool]:
    """For each statement, whether it is a definition or a comment directly above one."""
    found: list[bool] = []
    leads = False
    for stmt in reversed(body):
        if not isinstance(stmt, CommentLine | Blank):
            leads = _starts_definition(stmt)
        found.append(leads)
    return found[::-1]


def _starts_definition(stmt: Stmt) -> bool:
    if isinstance(stmt, Verbatim):
        return bool(_DEFINITION.match(stmt.text.lstrip("\n")))
    return isinstance(stmt, Function | Class)


def _ends_definition(stmt: Stmt) -> bool:
    match stmt:
        case Verbatim(text):
            return text.rstrip().rpartition("\n")[2].startswith(" ")
        case For(body=body) | If(body=body, orelse=()) | If(orelse=body):
            last = next((x for x in reversed(body) if not isinstance(x, Blank)), None)
            return last is not None and _ends_definition(last)
        case _:
            return isinstance(stmt, Function | Class)
