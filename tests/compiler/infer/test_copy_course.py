"""At which copy a number leaves the course of those before it."""

from __future__ import annotations

import pytest

from compiler.infer.copy_course import first_departure
from compiler.op.arg_types import Formula
from compiler.symbolic.evaluate import parse_expression
from compiler.symbolic.symbol_table import SymbolTable


@pytest.mark.parametrize(
    ("formula", "copy"),
    [
        ("2 if i == 0 else 1", None),
        ("8 if i < 40 else 16", 40),
        ("8 if 40 > i else 16", 40),
        ("8 if i != 500 else 16", 500),
        ("i if i < 7 else 2 * i", 7),
        ("8 + 8 * max(0, i - 5)", 6),
        ("8 * (1 + i // 300)", 300),
        ("i * i if i >= 9 else 4", 9),
        ("8 + i", None),
        ("2 ** min(i, 12)", 13),
    ],
)
def test_first_departure(formula: str, copy: int | None) -> None:
    table = SymbolTable({}, {}, ("net.yaml",))
    arguments = {"width": Formula(parse_expression(formula), formula)}
    assert first_departure(arguments, table, 4) == copy
