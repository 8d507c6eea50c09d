"""Checkpoints that ask for too much are answered soon, whatever they say."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler import compile_spec
from compiler.checkpoint.match import fit
from compiler.diagnostics.diagnostic import RequestError
from tests.hostile import HEAD, diagnose

LAYERS = "layers:\n  a: {{op: linear, out_features: 8, repeat: {}}}\n"
RULES = "checkpoint:\n  tensors:\n"


def _rules(copies: int, rules: str) -> str:
    return f"{HEAD}{LAYERS.format(copies)}{RULES}{rules}"


MANY = "".join(f"    x{i}.{{*rest}}: y\n" for i in range(10_000))
STACK = "    a.{i}.weight: {stack: 'e.{e}.{f}', over: {e: 300, f: 300}}\n"
NESTED = "x"
for name in "efg":
    NESTED = f"{{stack: {NESTED}, over: {{{name}: 1000}}}}"
HOLES = f"    a.{{i}}.weight: '{'{i}' * 20_000}'\n"


@pytest.mark.parametrize(
    "text",
    [
        _rules(1_000_000, MANY),
        _rules(9_000, STACK),
        _rules(900, HOLES),
    ],
    ids=["rules", "stack", "holes"],
)
def test_what_is_too_much_is_left_until_there_is_a_file(
    text: str, tmp_path: Path
) -> None:
    assert diagnose(text, tmp_path) == ()
    program = compile_spec(tmp_path / "spec.yaml")
    with pytest.raises(RequestError, match="too many"):
        fit(program.typed, {})


def test_stacks_in_one_another(tmp_path: Path) -> None:
    text = _rules(2, f"    a.{{i}}.weight: {NESTED}\n")
    assert "bad-rule" in {one.code for one in diagnose(text, tmp_path)}
