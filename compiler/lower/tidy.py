"""Values that are written in place: a line for each shape, not for each call.

A value stands in the statement after it where that alone reads it, both have the same shape, so that no comment is
lost, and the line still fits. A line takes at most two, one inside the other, so that it is read from the inside out:

    attended = x + self.attn(self.ln_1(x))  # [B, T, D]
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from dataclasses import replace
from typing import Protocol

from compiler.codegen.line_breaks import INDENT
from compiler.codegen.python import (
    Attribute,
    Binary,
    Call,
    Expr,
    ListExpr,
    Placeholder,
    Slice,
    Subscript,
    TupleExpr,
    Unary,
)
from compiler.codegen.traversal import children, filled, placeholders, walk
from compiler.dataclass import dataclass
from compiler.ir.module import Choose, Let, Local, Loop, Stmt, reads
from compiler.lower.class_ir import ClassIR

MOST = 2
"""So many values stand in one line at most."""

_OPEN = Attribute | Binary | Call | ListExpr | Slice | Subscript | TupleExpr | Unary
"""Code that evaluates all of its parts, in order."""


class Widths(Protocol):
    """How wide the text of statements is, in columns."""

    def line(self, let: Let) -> int:
        """The whole statement on one line, with its comment."""

    def value(self, let: Let) -> int:
        """What is assigned."""

    def target(self, let: Let) -> int:
        """What it is assigned to."""

    def told(self, let: Let) -> str:
        """The shapes that are told of it."""


def tidy(ir: ClassIR, widths: Widths, room: int) -> ClassIR:
    """The class with values written in place; `room` are the columns of a line of `forward`."""
    keys = [key for statement in ir.body.statements for key in reads(statement)]
    keys += [key for output in ir.body.outputs for key in placeholders(output)]
    read = Counter(key for key in keys if isinstance(key, Local))
    statements = _Tidier(read, widths).region(ir.body.statements, room)
    return replace(ir, body=replace(ir.body, statements=statements))


@dataclass(frozen=True)
class _Tidier:
    read: Counter[Local]
    widths: Widths

    def region(self, statements: tuple[Stmt, ...], room: int) -> tuple[Stmt, ...]:
        before = list(statements)
        after: list[Stmt] = []
        while before:
            statement = before.pop()
            if isinstance(statement, Let):
                statement = self._filled(statement, before, room)
            elif isinstance(statement, Choose | Loop):
                body = self.region(statement.body, room - INDENT)
                statement = replace(statement, body=body)
            after.append(statement)
        return tuple(reversed(after))

    def _filled(self, let: Let, before: list[Stmt], room: int) -> Let:
        """A statement with the values of those before it that may stand in it; these are taken away."""
        reader, width = let, 0
        for _ in range(MOST):
            one = before[-1] if before else None
            if not isinstance(one, Let) or not self._is_for(one, reader, let):
                break
            width = width or self.widths.line(let)
            wider = width + self.widths.value(one) - self.widths.target(one)
            if max(width, wider) > room or not comes_first(let.value, one.target):
                break
            moved = replace(let, value=_placed(let.value, one))
            if isinstance(one.value, Binary | Unary):  # it may need parentheses
                wider = self.widths.line(moved)
                if wider > room:
                    break
            before.pop()
            reader, let, width = one, moved, wider
        return let

    def _is_for(self, one: Let, reader: Let, let: Let) -> bool:
        """Whether a value of the shape of a line is read by `reader` alone, which stands in it."""
        target = one.target
        return (
            isinstance(target, Placeholder)
            and isinstance(target.key, Local)
            and self.read[target.key] == 1
            and isinstance(one.value, Attribute | Binary | Call | Subscript | Unary)
            and self._are_alike(one, let)
            and target.key in placeholders(reader.value)
        )

    def _are_alike(self, one: Let, other: Let) -> bool:
        shapes = [kind.shape for kind in one.kinds]
        if not shapes or shapes == [kind.shape for kind in other.kinds]:
            return bool(shapes)
        return self.widths.told(one) == self.widths.told(other)


def _placed(value: Expr, one: Let) -> Expr:
    """An expression with that of a value in its place."""
    assert isinstance(one.target, Placeholder)
    moved = one.target.key

    def fill(key: Hashable) -> Expr:
        return one.value if key == moved else Placeholder(key)

    return filled(value, fill)


def comes_first(value: Expr | Slice, target: Expr) -> bool | None:
    """Whether a part of an expression is always evaluated, before any call but those around it.

    None where there is neither the part nor a call.
    """
    if value == target:
        return True
    if not isinstance(value, _OPEN):
        hidden = any(part == target or isinstance(part, Call) for part in walk(value))
        return False if hidden else None
    for part in children(value):
        found = comes_first(part, target)
        if found is not None:
            return found
    return False if isinstance(value, Call) else None
