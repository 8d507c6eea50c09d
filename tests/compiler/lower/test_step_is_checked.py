"""`check` refuses a step that no module can have, as `build` does."""

from pathlib import Path

import pytest

from compiler import SpecError
from compiler.pipeline import compile_spec

SPEC = """\
name: Net
inputs: {x: "float[B, T, 4]"}
step: T
layers: {sum: {op: cumsum, dim: 1}, fc: {op: linear, out_features: 4}}
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
