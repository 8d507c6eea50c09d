"""Values that are written in place: a line for each shape, not for each call.

A value stands in the statement after it where that alone reads it, both have the same shape, so that no comment is
lost, and the line still fits. A line takes at most two, one inside the other, so that it is read from the inside out:

    attended = x + self.attn(self.ln_1(x))  # [B, T, D]
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace

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
from compiler.ir.module import Choose, Let, Local, Loop, Stmt, reads
from compiler.lower.class_ir import ClassIR

MOST = 2
"""So many values stand in one line at most."""

_OPEN = Attribute | Binary | Call | ListExpr | Slice | Subscript | TupleExpr | Unary
"""Code that evaluates all of its parts, in order."""


def tidy(
    ir: ClassIR, comment: Callable[[Let], str], fits: Callable[[Let, int], bool]
) -> ClassIR:
    """The class with values written in place.

    `comment` tells the shapes of a statement; `fits` whether it is one line, at a depth of loops and conditions.
    """
    keys = [key for statement in ir.body.statements for key in reads(statement)]
    keys += [key for output in ir.body.outputs for key in placeholders(output)]
    read = Counter(key for key in keys if isinstance(key, Local))
    statements = _Tidier(read, comment, fits).region(ir.body.statements, 0)
    return replace(ir, body=replace(ir.body, statements=statements))


@dataclass(frozen=True)
class _Tidier:
    read: Counter[Local]
    comment: Callable[[Let], str]
    fits: Callable[[Let, int], bool]

    def region(self, statements: tuple[Stmt, ...], depth: int) -> tuple[Stmt, ...]:
        before = list(statements)
        after: list[Stmt] = []
        while before:
            statement = before.pop()
            if isinstance(statement, Let):
                statement = self._filled(statement, before, depth)
            elif isinstance(statement, Choose | Loop):
                body = self.region(statement.body, depth + 1)
                statement = replace(statement, body=body)
            after.append(statement)
        return tuple(reversed(after))

    def _filled(self, let: Let, before: list[Stmt], depth: int) -> Let:
        """A statement with the values of those before it that may stand in it; these are taken away."""
        reader = let
        for _ in range(MOST):
            one = before[-1] if before else None
            if not isinstance(one, Let) or not self._is_for(one, reader, let, depth):
                break
            moved = replace(let, value=_placed(let.value, one))
            if not self.fits(moved, depth):
                break
            before.pop()
            reader, let = one, moved
        return let

    def _is_for(self, one: Let, reader: Let, let: Let, depth: int) -> bool:
        """Whether a value is read by `reader` alone, and may be computed where the line `let` has it."""
        target = one.target
        return (
            isinstance(target, Placeholder)
            and isinstance(target.key, Local)
            and self.read[target.key] == 1
            and isinstance(one.value, Attribute | Binary | Call | Subscript | Unary)
            and bool(one.kinds)
            and self.comment(one) == self.comment(let)
            and self.fits(let, depth)
            and target.key in placeholders(reader.value)
            and bool(comes_first(let.value, target))
        )


def _placed(value: Expr, one: Let) -> Expr:
    """An expression with that of a value in its place."""

    def fill(key: Hashable) -> Expr:
        return one.value if Placeholder(key) == one.target else Placeholder(key)

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
