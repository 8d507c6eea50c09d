"""Networks whose layers run where an input is given, in pieces: what they keep is there whatever is given."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from compiler.pipeline import compile_spec
from runtime.load import load_program

TEXT = """\
name: Net
params: {width: 8}
step: {T: [x]}
inputs: {x: "float[B, T, width]", more: "float[B, 1, width]?"}
layers:
  sum: {op: add, in: [x, more], when: given(more), else: x}
  attended: {op: attention, num_heads: 2, is_causal: true, in: [sum, sum, sum], when: given(more)}
  gru: {op: gru, hidden_size: width, when: not given(more)}
  conv: {op: linear, out_features: width}
"""


@pytest.mark.parametrize("given", [False, True])
def test_pieces_are_those_of_the_whole(tmp_path: Path, given: bool) -> None:
    path = tmp_path / "net.yaml"
    path.write_text(TEXT, encoding="utf-8")
    network = load_program(compile_spec(path))[""]().eval()
    x, more = torch.randn(2, 7, 8), torch.randn(2, 1, 8) if given else None
    state = network.init_state(more)
    with torch.no_grad():
        pieces = [network.step(x[:, i:j], state) for i, j in ((0, 2), (2, 3), (3, 7))]
        whole = network(x, more)
    torch.testing.assert_close(torch.cat(pieces, dim=1), whole)
