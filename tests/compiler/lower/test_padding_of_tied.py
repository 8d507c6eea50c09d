"""The padding row of an embedding stays zero, whichever layer is tied to it."""

from pathlib import Path

import pytest
import torch

from compiler.pipeline import compile_spec
from runtime.load import build_networks
from runtime.verify import verify

SPEC = """\
name: Net
inputs: {tokens: "int[B, T]"}
layers:
  word: {op: embedding, num_embeddings: 7, embedding_dim: 3, padding_idx: 2}
  body: {op: linear, out_features: 3}
  head: {op: linear, out_features: 7, tie: {weight: word.weight}}
outputs: {logits: head}
init:
  linear: {weight: {normal: {std: 0.5}}}
  RULE
"""


@pytest.mark.parametrize("rule", ["normal: {std: 0.5}", "uniform: {a: 1.0, b: 2.0}"])
def test_the_row_is_zero(rule: str, tmp_path: Path) -> None:
    file = tmp_path / "net.yaml"
    text = SPEC.replace("RULE", f"embedding: {{weight: {{{rule}}}}}")
    file.write_text(text)
    program = compile_spec(file)
    (network,) = build_networks(program).values()
    weight = network.get_parameter("word.weight")
    assert not weight[2].any()
    assert weight[torch.arange(7) != 2].all()
    assert verify(program).problems == ()
