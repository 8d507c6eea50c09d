"""Numbers in code are worked out, in one pass over it."""

from __future__ import annotations

from collections.abc import Hashable

import pytest

from compiler.codegen.python import Binary, Call, Expr, Name, Placeholder, lit
from compiler.lower import evaluate_code
from compiler.lower.evaluate_code import fold
from compiler.symbolic.dims import Dim


def _folded(code: Expr) -> Expr:
    return fold(code, Placeholder, lambda *_: None, lambda _: None)


def test_numbers_inside_what_is_none_are_worked_out() -> None:
    x, two = Placeholder("x"), Placeholder(Dim.of(2))
    number = Call(Name("max"), (Binary("+", two, lit(3)), lit(4)))
    assert _folded(number) == lit(5)
    code = Binary("+", Binary("*", x, number), Binary("-", number, lit(1)))
    assert _folded(code) == Binary("+", Binary("*", x, lit(5)), lit(4))


def test_a_sum_of_many_values_is_looked_through_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked: list[Hashable] = []
    plain = evaluate_code._plain_number

    def counted(key: Hashable) -> object:
        looked.append(key)
        return plain(key)

    monkeypatch.setattr(evaluate_code, "_plain_number", counted)
    code: Expr = Placeholder("x")
    for number in range(200):
        code = Binary("+", code, Placeholder(f"l{number}"))
    assert _folded(code) == code
    assert len(looked) < 10
