"""`check` refuses a step that no module can have, as `build` does."""

from pathlib import Path

import pytest

from compiler import SpecError
from compiler.pipeline import compile_spec

SPEC = """\
name: Net
inputs: {x: "float[B, T, 4]"}
step: T
layers: {sum: {op: cummax, dim: 1}, fc: {op: linear, out_features: 4, in: sum.values}}
outputs: {y: fc}
"""


def test_a_layer_that_cannot_go_on_from_a_state(tmp_path: Path) -> None:
    file = tmp_path / "net.yaml"
    file.write_text(SPEC)
    program = compile_spec(file)
    (one,) = program.check()
    assert (one.code, one.path) == ("no-code", "Net.sum")
    with pytest.raises(SpecError) as raised:
        len(program.python)
    assert raised.value.diagnostics == (one,)


OF_SIZES = """\
name: Net
inputs: {x: "float[B, T, 4]", m: "float[B, S, 4]"}
step: T
layers:
  keys: {op: linear, out_features: 4, in: m}
  one: {op: parameter, shape: [1, 1], value: 1.0}
  table: {op: expand, shape: [T, T], in: one}
  diagonal: diagonal
  column: {op: unsqueeze, dim: 1}
  sum: {op: add, in: [x, column]}
  read: {op: attention, num_heads: 2, in: [sum, keys, keys]}
outputs: {y: read}
"""


def test_what_is_known_before_the_first_piece_needs_no_size_of_all(
    tmp_path: Path,
) -> None:
    file = tmp_path / "net.yaml"
    file.write_text(OF_SIZES)
    (one,) = compile_spec(file).check()
    assert one.code == "no-code"
    assert "T grows with every piece" in one.message
    file.write_text(OF_SIZES.replace("step: T\n", ""))
    assert compile_spec(file).check() == ()
