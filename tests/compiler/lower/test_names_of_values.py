"""No two values have one name at a time, and what goes from copy to copy has one."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler import compile_spec
from runtime.verify import verify

BLOCK = "blocks: {Blk: {inputs: {x: 'float[N, L, D]'}, layers: {t: tanh}}}"


@pytest.mark.parametrize(
    "before", ["{op: sort, when: 1 > 0}", "{op: lstm, hidden_size: 8, when: 1 > 0}"]
)
def test_a_loop_after_several_outputs_under_a_condition(
    before: str, tmp_path: Path
) -> None:
    path = tmp_path / "net.yaml"
    layers = f"layers:\n  a: {before}\n  b: {{op: Blk, repeat: 2}}\n"
    text = f"name: Net\ninputs: {{x: 'float[B, T, 8]'}}\n{layers}{BLOCK}\n"
    path.write_text(text, encoding="utf-8")
    assert not verify(compile_spec(path)).problems
