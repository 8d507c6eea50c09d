"""What a strict type checker sees is found in one pass over the code."""

from __future__ import annotations

import pytest

from compiler.codegen.python import Conditional, Expr, Name, call
from compiler.codegen.statements import Assign, Return
from compiler.lower import static_types
from compiler.lower.static_types import typed_calls


def test_a_chain_of_variables_is_followed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    is_any = static_types._is_any

    def counted(value: Expr, anything: set[str]) -> bool:
        asked.append(value)
        return is_any(value, anything)

    monkeypatch.setattr(static_types, "_is_any", counted)
    lines: list[Assign | Return] = []
    for number in range(100):
        before, member = Name(f"x{number}"), f"self.l{number}"
        chosen = Conditional(Name("on"), call(member, before), before)
        lines.append(Assign((Name(f"x{number + 1}"),), chosen))
    lines.append(Return(Name("x100")))
    assert typed_calls(lines) == lines
    assert len(asked) < 1_000
