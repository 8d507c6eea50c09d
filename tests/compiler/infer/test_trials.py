"""Trials of one graph share what they inferred, and nothing that is wrong."""

from __future__ import annotations

from pathlib import Path

from compiler.infer.engine import Earlier
from compiler.infer.infer import infer
from compiler.pipeline import compile_spec

SPEC = """\
name: Net
params: {width: 8, classes: 3}
inputs: {x: "float[B, 8]"}
layers:
  a: {op: Narrow, width: width}
  b: {op: linear, out_features: classes}
blocks:
  Narrow:
    params: {width: int}
    inputs: {x: "float[B, D]"}
    layers:
      down: {op: linear, out_features: width // 4}
      up: {op: linear, out_features: D}
"""


def test_a_block_that_is_wrong_is_wrong_in_every_trial(tmp_path: Path) -> None:
    file = tmp_path / "net.yaml"
    file.write_text(SPEC)
    graph, earlier = compile_spec(file).typed.graph, Earlier()
    for classes in (4, 5):
        settings = {"width": 2, "classes": classes}  # for which `down` has no width
        assert infer(graph, "", settings, trial=True, earlier=earlier).failed
    assert not infer(graph, "", {"width": 4}, trial=True, earlier=earlier).failed


def test_trials_share_nothing_that_a_param_decides(tmp_path: Path) -> None:
    text = """\
name: Net
params: {norm: {type: op, default: tanh}}
inputs: {x: "float[B, 8]"}
layers:
  a: {op: Layer, norm: $norm}
  b: {op: Layer, norm: gelu}
blocks:
  Layer:
    params: {norm: op}
    inputs: {x: "float[B, D]"}
    layers: [$norm]
"""
    file = tmp_path / "net.yaml"
    file.write_text(text)
    graph, earlier = compile_spec(file).typed.graph, Earlier()
    for norm in ("relu", "tanh", "relu"):
        trial = infer(graph, "", {"norm": norm}, trial=True, earlier=earlier)
        ops = [one.nodes["0"].calls[0].op for one in trial.instances[1:]]
        assert [op and op.name for op in ops] == [norm, "gelu"]
