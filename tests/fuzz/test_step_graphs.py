"""Random networks give in pieces what they give on the whole, or are refused at the layer that cannot."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.fuzz.causal_graphs import CausalGraph
from tests.fuzz.step_graphs import step_graph
from tests.fuzz.step_judge import WRONG, counted, judge_seed, judge_steps


@pytest.mark.parametrize("first", range(0, 60, 30))
def test_pieces_give_what_the_whole_gives(first: int) -> None:
    counts = counted((seed, judge_seed(seed)) for seed in range(first, first + 30))
    assert not [key for key in counts if key in WRONG or key[0] in WRONG]
    assert counts["steps"] > 5


@pytest.mark.parametrize("seed", range(20))
def test_a_layer_that_looks_ahead_is_named(seed: int) -> None:
    graph = step_graph(seed, planted=True)
    found = judge_steps(graph)
    assert found.verdict == "not-causal"
    assert found.about.startswith(f"{graph.leak}:")


_TWICE = """
  a: {op: Twice, repeat: {count: 3, share: true}, in: x}
  output: {op: tanh, in: a}
"""
_UNUSED_SCAN = """
  a: {op: Cell, scan: T, carry: {h: "zeros[B, 8]"}, in: x}
  b: {op: pad, pad: [0, 0, 1, 0], in: x}
  output: {op: slice, dim: 1, stop: -1, in: b}
"""
_UNUSED_SOURCE = """
  a: {op: attention, num_heads: 2, in: [x, m, m]}
  output: {op: tanh, in: x}
"""
_ONLY_POSITIONS = """
  a: {op: sinusoidal_encoding, in: x}
  output: {op: add, in: [x, a]}
"""
_BATCH_SECOND = """
  a: {op: mean, dim: 1, in: m}
  b: {op: unsqueeze, dim: 0, in: a}
  c: {op: gru, hidden_size: 8, in: {input: x, hidden: b}}
  d: {op: transpose, dim0: 0, dim1: 1, in: c.output}
  e: {op: pad, pad: [0, 0, 0, 0, 1, 0], in: d}
  f: {op: slice, dim: 0, stop: -1, in: e}
  output: {op: transpose, dim0: 0, dim1: 1, in: f}
"""
_MASK_OF_POSITIONS = """
  a: {op: unsqueeze, dim: 2, in: k}
  b: {op: to, dtype: float, in: a}
  output: {op: mul, in: [x, b]}
"""
_POSITIONS_OF_POSITIONS = """
  a: {op: sinusoidal_encoding, in: x}
  b: {op: arange, dim: 0, in: a}
  c: {op: unsqueeze, dim: 1, in: b}
  output: {op: mul, in: [x, c]}
"""


@pytest.mark.parametrize(
    "layers",
    [
        _TWICE,
        _UNUSED_SCAN,
        _UNUSED_SOURCE,
        _ONLY_POSITIONS,
        _BATCH_SECOND,
        _MASK_OF_POSITIONS,
        _POSITIONS_OF_POSITIONS,
    ],
)
def test_networks_that_ran_wrongly_in_pieces(layers: str) -> None:
    assert judge_steps(CausalGraph(_spec(layers))).verdict == "steps"


_TRANSFORMER = """
  leak: {op: transformer_encoder_layer, nhead: 2, dim_feedforward: 8, is_causal: true, in: x}
  output: {op: tanh, in: leak}
"""
_TWO_DIMENSIONS = """
  leak: {op: pad, pad: [1, 0, 2, 0], in: x}
  b: {op: slice, dim: 1, stop: -2, in: leak}
  output: {op: slice, dim: 2, stop: -1, in: b}
"""
_PAD_AGAIN = """
  a: {op: pad, pad: [0, 0, 1, 0], in: x}
  leak: {op: pad, pad: [0, 0, 1, 0], in: a}
  output: {op: slice, dim: 1, stop: -2, in: leak}
"""
_REPLICATE = """
  a: {op: transpose, dim0: 1, dim1: 2, in: x}
  leak: {op: pad, pad: [1, 0], mode: replicate, in: a}
  c: {op: conv1d, out_channels: 8, kernel_size: 2, in: leak}
  output: {op: transpose, dim0: 1, dim1: 2, in: c}
"""
_TRIANGLE = """
  a: {op: causal_mask, in: x}
  b: {op: to, dtype: float, in: a}
  leak: {op: tril, diagonal: -1, in: b}
  d: {op: sum, dim: 1, keepdim: true, in: leak}
  output: {op: add, in: [x, d]}
"""
_BY_NUMBER = """
  a: {op: arange, in: x}
  leak: {op: index_select, dim: 1, in: [x, a]}
  output: {op: tanh, in: leak}
"""
_BOTH_MASKS = """
  a: {op: attention, num_heads: 2, is_causal: true, in: {query: x, key: x, value: x, mask: k}}
  b: {op: unsqueeze, dim: 2, in: k}
  c: {op: to, dtype: float, in: b}
  leak: {op: mul, in: [a, c]}
  output: {op: tanh, in: leak}
"""
_MASK_FROM_VALUES = """
  a: {op: mean, dim: -1, in: x}
  b: {op: gt, value: 0, in: a}
  c: {op: attention, num_heads: 2, is_causal: true, in: {query: x, key: x, value: x, mask: k}}
  leak: {op: attention, num_heads: 2, is_causal: true, in: {query: c, key: x, value: x, mask: b}}
  output: {op: tanh, in: leak}
"""


@pytest.mark.parametrize(
    "layers",
    [
        _TRANSFORMER,
        _PAD_AGAIN,
        _REPLICATE,
        _TRIANGLE,
        _BY_NUMBER,
    ],
)
def test_layers_that_ran_wrongly_in_pieces_are_refused(layers: str) -> None:
    found = judge_steps(CausalGraph(_spec(layers)))
    assert found.verdict == "no-code"
    assert found.about.startswith("leak: ")


@pytest.mark.parametrize("layers", [_BOTH_MASKS, _MASK_FROM_VALUES, _TWO_DIMENSIONS])
def test_layers_that_run_in_pieces(layers: str) -> None:
    assert judge_steps(CausalGraph(_spec(layers))).verdict == "steps"


def _spec(layers: str) -> dict[str, Any]:
    text = f"""
name: Net
inputs: {{k: "bool[B, T]", x: "float[B, T, 8]", m: "float[B, S, 8]"}}
layers: {layers}
outputs: {{output: output}}
blocks:
  Twice:
    inputs: {{x: "float[B, T, 8]"}}
    layers:
      a: {{op: lstm, hidden_size: 8, in: x}}
      b: {{op: pad, pad: [0, 0, 1, 0], in: a.output}}
      c: {{op: slice, dim: 1, stop: -1}}
  Cell:
    inputs: {{x: "float[B, 8]", h: "float[B, 8]"}}
    layers: {{y: {{op: add, in: [x, h]}}, g: {{op: tanh}}}}
    outputs: {{y: y, h: g}}
"""
    spec: dict[str, Any] = yaml.safe_load(text)
    blocks, inputs = spec["blocks"], spec["inputs"]
    spec["blocks"] = {n: b for n, b in blocks.items() if f"op: {n}" in layers}
    used = {n: i for n, i in inputs.items() if n == "x" or f" {n}" in layers}
    spec["inputs"] = used
    spec["step"] = {"T": [name for name in used if name != "m"]}
    if not spec["blocks"]:
        del spec["blocks"]
    return spec
