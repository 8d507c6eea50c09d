"""What is a use of a block, and what is not."""

from pathlib import Path

import pytest

from compiler import compile_spec

TEXT = """\
name: Net
params:
  act: {type: op, default: relu, choices: CHOICES}
inputs: {x: "float[B, 8]"}
layers:
  a: {op: $act}
blocks:
  Learned:
    inputs: {x: "float[...]"}
    layers:
      fc: {op: tanh}
"""


@pytest.mark.parametrize(
    ("choices", "codes"),
    [("[relu, Learned]", []), ("[relu, tanh]", ["unused-block"])],
)
def test_a_block_that_a_param_may_choose_is_used(
    tmp_path: Path, choices: str, codes: list[str]
) -> None:
    file = tmp_path / "net.yaml"
    file.write_text(TEXT.replace("CHOICES", choices))
    assert [one.code for one in compile_spec(file).typed.diagnostics] == codes
