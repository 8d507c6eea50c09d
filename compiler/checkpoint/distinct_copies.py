"""The copies of a repeated layer that the rules of a checkpoint may treat differently; only these are checked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from compiler.expr.syntax import (
    BinaryOperation,
    Expression,
    NumberLiteral,
    UnaryOperation,
    Variable,
    names_in,
)
from compiler.ir.tensors import Numbers, every_number
from compiler.language.checkpoint import Composition
from compiler.language.name_patterns import NamePattern, NameTemplate


def distinct_copies(
    rules: Iterable[tuple[NamePattern, Sequence[Composition | None]]],
) -> Numbers:
    """The numbers of the copies that represent all of `count` equal ones.

    Patterns tell copies apart by the numbers that they name; and by any number, where a
    composition computes with it something that may fail or differ in shape. All other copies
    are like the first of them: what is wrong with one rule is wrong there, too.
    """
    named: set[int] = set()
    for pattern, compositions in rules:
        parts = (*pattern.before, *pattern.after)
        if any(map(_tells_digits, parts)) or any(
            composition is not None
            and _depends(composition, frozenset(pattern.captures))
            for composition in compositions
        ):
            return every_number
        literals = (part[0] for part in parts if len(part) == 1)
        named.update(int(one) for one in literals if _is_number(one))

    def numbers(first: int, count: int) -> Iterator[int]:
        some = next((n for n in range(first, first + count) if n not in named), first)
        inside = (n for n in named if first <= n < first + count)
        return iter(sorted({some, *inside}))

    return numbers


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 10


def _tells_digits(part: Sequence[str]) -> bool:
    """Whether a part matches some numbers only, by their digits: `1{rest}`."""
    literals = [literal for literal in part[::2] if literal]
    return len(part) > 1 and bool(literals) and all(map(str.isdecimal, literals))


def _depends(composition: Composition, captures: frozenset[str]) -> bool:
    """Whether more than names depends on what was captured, or names that may have no value."""
    if any(names_in(item.expr) & captures for _, item in composition.numbers):
        return True
    if isinstance(composition.name, NameTemplate):
        holes = (hole.expr for hole in composition.name.holes())
        if not all(_has_value(expr, captures) for expr in holes):
            return True
    return any(_depends(part, captures) for part in composition.parts)


def _has_value(expr: Expression, captures: frozenset[str]) -> bool:
    """Whether an expression has a value for every number, or for none."""
    match expr:
        case Variable() | NumberLiteral():
            return True
        case UnaryOperation("-" | "+", operand):
            return _has_value(operand, captures)
        case BinaryOperation("+" | "-", left, right):
            return _has_value(left, captures) and _has_value(right, captures)
        case BinaryOperation("*", left, right):
            linear = not (names_in(left) & captures and names_in(right) & captures)
            return linear and all(_has_value(one, captures) for one in (left, right))
        case BinaryOperation("//" | "%", left, NumberLiteral(value)):
            return bool(value) and _has_value(left, captures)
    return not names_in(expr) & captures
