"""At which other values a number that layers ask for may be 0, for none of these layers is there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from compiler.codegen.python import Expr, call, lit
from compiler.codegen.traversal import placeholders
from compiler.ir.module import ScopeName
from compiler.lower.other_values import Setting
from compiler.lower.required import Required
from compiler.lower.scope_code import name_code
from compiler.symbolic.evaluate import Value


def unused_zeros(
    names: Iterable[str], required: Iterable[Required], values: Mapping[str, Value]
) -> Iterator[tuple[str, Setting]]:
    """Of each number that is asked for under conditions alone: 0, with flags turned for which they do not hold.

    Of a list that items are read of: no items, and no copies that read them.
    """
    every = list(required)
    for name in names:
        empty = isinstance(values[name], tuple)
        code = call("len", name_code(name)) if empty else name_code(name)
        asked = [one for one in every if one.code == code and one.relation == "least"]
        tests = [[*_tests(one, empty)] for one in asked]
        if not tests or not all(tests):
            continue
        found: Setting = {name: () if empty else 0}
        for other in {key for codes in tests for x in codes for key in _names(x)}:
            value = values.get(other)
            if isinstance(value, bool):
                found.setdefault(other, not value)
            elif empty and isinstance(value, int | tuple):
                found.setdefault(other, () if isinstance(value, tuple) else 0)
        if len(found) > 1:
            yield name, found


def _tests(one: Required, empty: bool) -> Iterator[Expr]:
    """What keeps a number from being asked for."""
    yield from (test for test in one.conditions if test != lit(True))
    if empty:
        yield from one.counts
        yield from (copies.count for copies in one.copies)


def _names(code: Expr) -> Iterator[str]:
    return (key.name for key in placeholders(code) if isinstance(key, ScopeName))
