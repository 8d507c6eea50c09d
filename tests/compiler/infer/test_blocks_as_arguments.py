"""A block given to a param of another file's block is that of the file which gives it."""

from pathlib import Path

import pytest

from compiler import Program, compile_spec
from compiler.fmt.expand import expand
from compiler.fmt.write_spec import write_spec
from runtime.verify import verify

LAYER = """
name: Layer
blocks:
  Layer:
    params: {mixer: {type: op, default: Mixer}}
    inputs: {x: "float[B, D]"}
    layers:
      mixer: $mixer
      sum: {op: add, in: [x, mixer]}
  Mixer:
    inputs: {x: "float[B, D]"}
    layers: {fc: {op: linear, out_features: D, bias: false}}
"""
BODY = """
name: Body
import: {Layer: layer.yaml}
blocks:
  Body:
    inputs: {x: "float[B, D]"}
    layers:
      own: {op: Layer, mixer: %s}
  Mixer:
    inputs: {x: "float[B, D]"}
    layers:
      up: {op: linear, out_features: 2 * D}
      down: {op: linear, out_features: D}
  Local:
    inputs: {x: "float[B, D]"}
    layers: {fc: {op: linear, out_features: D}}
"""
NET = """
name: Net
params: {mixer: {type: op, default: Mixer}}
import: {Layer: layer.yaml, Body: body.yaml}
inputs: {x: "float[B, 8]"}
layers:
  own: {op: Layer, mixer: Mixer}
  theirs: Layer
  passed: {op: Around, mixer: $mixer}
  body: Body
blocks:
  Around:
    params: {mixer: op}
    inputs: {x: "float[B, D]"}
    layers: {inner: {op: Layer, mixer: $mixer}}
  Mixer:
    inputs: {x: "float[B, D]"}
    layers: {fc: {op: linear, out_features: D}}
"""


@pytest.fixture(params=["Mixer", "Local"])
def program(request: pytest.FixtureRequest, tmp_path: Path) -> Program:
    body = BODY % request.param
    for name, text in (("layer", LAYER), ("body", body), ("net", NET)):
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    return compile_spec(tmp_path / "net.yaml")


def test_each_name_is_of_the_file_that_says_it(program: Program) -> None:
    found = {
        row.name: row.size.parameters for row in program.summary.networks[""].layers
    }
    with_bias, without = 8 * 8 + 8, 8 * 8
    wide = 2 * (8 * 16) + 16 + 8
    assert (found["own"], found["theirs"], found["passed"]) == (
        with_bias,
        without,
        with_bias,
    )
    assert found["body"] in (wide, with_bias)
    assert verify(program).problems == ()


def test_it_is_kept_when_all_is_in_one_file(program: Program, tmp_path: Path) -> None:
    whole = tmp_path / "whole.yaml"
    whole.write_text(write_spec(expand(program.typed)), encoding="utf-8")
    again = compile_spec(whole)
    assert again.python == program.python.replace("net.yaml", "whole.yaml")


def test_what_no_layer_runs_is_there_in_one_file(tmp_path: Path) -> None:
    (tmp_path / "layer.yaml").write_text(LAYER, encoding="utf-8")
    net = "name: Net\nimport: {Layer: layer.yaml}\ninputs: {x: 'float[B, 8]'}\nlayers: {a: {op: Layer, mixer: relu}}\n"
    file = tmp_path / "net.yaml"
    file.write_text(net, encoding="utf-8")
    program = compile_spec(file)
    whole = tmp_path / "whole.yaml"
    whole.write_text(write_spec(expand(program.typed)), encoding="utf-8")
    again = compile_spec(whole)
    assert again.python == program.python.replace("net.yaml", "whole.yaml")
