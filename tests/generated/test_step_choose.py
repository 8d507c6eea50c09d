"""Networks whose layers are one thing or another, in pieces: what each may be keeps something else, or nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from compiler.pipeline import compile_spec
from tests.generated.stepped import LENGTH, Stepped

TEXT = """\
name: Net
params: {width: 8, depth: 5}
step: T
inputs: {x: "float[B, T, width]"}
layers: {layers: {op: Layer, attends: i % 2 == 1, recurrent: i == 2, repeat: depth}}
blocks:
  Layer:
    params: {attends: bool, recurrent: bool}
    inputs: {x: "float[B, T, D]"}
    layers:
      mixer: MIXER
      sum: {op: add, in: [x, mixer]}
  Attention:
    inputs: {x: "float[B, T, D]"}
    layers: {attention: {op: attention, num_heads: 2, is_causal: true, in: [x, x, x]}}
  Recurrence:
    inputs: {x: "float[B, T, D]"}
    layers: {gru: {op: gru, hidden_size: D}, out: {op: linear, out_features: D, in: gru}}
  Feed:
    inputs: {x: "float[B, T, D]"}
    layers: {fc: {op: linear, out_features: D}, tanh: tanh}
"""
MIXERS = {
    "one class": "{choose: [{when: attends, op: Attention}, {when: recurrent, op: Recurrence}, {op: Feed}]}",
    "two classes": "{choose: [{when: attends, op: Attention}, {op: linear, out_features: D}]}",
    "as many classes": "{choose: [{when: attends, op: Attention}, {when: recurrent, op: gelu}, {op: Feed}]}",
}


@pytest.mark.parametrize("mixer", MIXERS)
@pytest.mark.parametrize("sizes", [[1] * LENGTH, [4, 1, 1, LENGTH - 6]])
def test_pieces_give_what_the_whole_gives(
    mixer: str, sizes: list[int], tmp_path: Path
) -> None:
    file = tmp_path / "net.yaml"
    file.write_text(TEXT.replace("MIXER", MIXERS[mixer]))
    one = Stepped(compile_spec(file))
    state = one.begin(LENGTH)
    found = one.pieces(sizes, state)
    torch.testing.assert_close(found, one.whole())
    copy = one.begin(None).clone()
    torch.testing.assert_close(one.pieces(sizes, copy), found)
