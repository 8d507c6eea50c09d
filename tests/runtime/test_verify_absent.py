"""Layers that pass on an input where they are off, with others that are absent then."""

from pathlib import Path

import pytest

from compiler import compile_spec
from runtime.verify import verify

LEARNT = """\
name: Net
params: {learn: true}
inputs: {x: "float[B, N, 4]"}
layers:
  eps: {op: parameter, shape: [], when: learn, else: null}
  sum: {op: add, in: [x, eps], when: learn}
"""
MASKED = """\
name: Net
inputs: {x: "float[B, N]", mask: "bool[B, N]?"}
layers:
  hidden: {op: logical_not, in: mask, when: given(mask), else: null}
  masked: {op: masked_fill, value: 0.0, in: [x, hidden], when: given(mask)}
"""


@pytest.mark.parametrize("text", [LEARNT, MASKED], ids=["param", "input"])
def test_only_the_value_that_is_passed_on_must_be_there(
    tmp_path: Path, text: str
) -> None:
    file = tmp_path / "net.yaml"
    file.write_text(text, encoding="utf-8")
    program = compile_spec(file)
    assert [one.code for one in program.typed.diagnostics] == ["implicit-else"]
    assert verify(program).problems == ()
