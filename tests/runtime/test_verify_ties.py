"""A tied tensor is initialised as the one that it is tied to, whatever is said of its own layer."""

from pathlib import Path

import pytest

from compiler import compile_spec
from runtime.verify import verify

TIED = """\
name: Net
params: {tied: true}
inputs: {x: "float[B, 8]"}
layers:
  fc: {op: linear, out_features: 8, bias: false, init: {weight: zeros}}
  own: {op: linear, out_features: 8, bias: false, tie: TIE, init: {weight: ones}}
  other: {op: linear, out_features: 8, bias: false, tie: TIE}
"""
OF_PARAMETER = """\
name: Net
inputs: {x: "float[B, 8]"}
layers:
  p: {op: parameter, shape: [4, 8], STARTED}
  own: {op: linear, out_features: 4, bias: false, in: x, tie: {weight: p}, init: {weight: ones}}
  sum: {op: add, in: [p, p]}
outputs: [own, sum]
"""


@pytest.mark.parametrize(
    "tie", ["{weight: fc.weight}", "{weight: fc.weight, when: tied}"]
)
@pytest.mark.parametrize("by_op", ["", "init: {linear: {weight: {constant: 0.5}}}\n"])
def test_the_rule_of_the_origin_holds(tmp_path: Path, tie: str, by_op: str) -> None:
    file = tmp_path / "net.yaml"
    file.write_text(TIED.replace("TIE", tie) + by_op)
    assert verify(compile_spec(file)).problems == ()


def test_the_rule_of_a_parameter_holds(tmp_path: Path) -> None:
    file = tmp_path / "net.yaml"
    file.write_text(OF_PARAMETER.replace("STARTED", "init: {weight: zeros}"))
    assert verify(compile_spec(file)).problems == ()


def test_a_parameter_without_a_rule_cannot_be_started_again(tmp_path: Path) -> None:
    file = tmp_path / "net.yaml"
    file.write_text(OF_PARAMETER.replace("STARTED", "value: 2.0"))
    (one,) = compile_spec(file).check()
    assert (one.code, one.path) == ("no-code", "Net.p")
    assert "write its init" in one.message
