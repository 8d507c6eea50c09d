from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from compiler import compile_spec
from compiler.diagnostics.diagnostic import SpecError
from compiler.program import Program
from compiler.tasks.kinds.language_model import LanguageModel
from runtime.load import build_networks
from runtime.tasks.causality import check_causal, find_leak
from runtime.tasks.learner import Learner

VOCAB = 11

HEAD = """
name: Net
inputs:
  tokens: int[B, T]
layers:
  wte: {op: embedding, num_embeddings: 11, embedding_dim: 8}
"""
TAIL = """
  head: {op: linear, out_features: 11}
outputs:
  logits: head
"""
BLOCKS = """
blocks:
  Block:
    inputs:
      x: float[B, T, D]
    layers:
      norm: layer_norm
      attn: {op: Attend, in: norm}
      out: {op: add, in: [x, attn]}
  Attend:
    inputs:
      x: float[B, T, D]
    layers:
      c_attn: {op: linear, out_features: 3 * D}
      qkv: {op: chunk, chunks: 3, dim: -1}
      attention:
        op: attention
        num_heads: 2
        is_causal: CAUSAL
        in: {query: qkv.0, key: qkv.1, value: qkv.2}
      c_proj: {op: linear, out_features: D}
"""
CONVOLUTION = """
  swapped: {op: transpose, dim0: 1, dim1: 2}
  padded: {op: pad, pad: PADDING}
  conv: {op: conv1d, out_channels: 8, kernel_size: 3}
  back: {op: transpose, dim0: 1, dim1: 2}
"""
LOOKS_AHEAD = {
    "attention": (
        "  h: {op: Block, repeat: 3}",
        BLOCKS.replace("CAUSAL", "false"),
        "h.0.attn.attention",
    ),
    "a recurrence both ways": (
        "  lstm: {op: lstm, hidden_size: 8, bidirectional: true}",
        "",
        "lstm",
    ),
    "a backward scan": (
        """
  sums:
    op: Sum
    scan: T
    reverse: true
    carry: {state: "zeros[B, 8]"}
    in: wte
  act: {op: relu, in: sums.out}
""",
        """
blocks:
  Sum:
    inputs:
      x: float[B, D]
      state: float[B, D]
    layers:
      sum: {op: add, in: [x, state]}
      out: {op: tanh, in: sum}
    outputs:
      state: sum
      out: out
""",
        "sums",
    ),
    "a mean over all": (
        "  mean: {op: mean, dim: 1, keepdim: true}\n  gate: {op: add, in: [wte, mean]}",
        "",
        "gate",
    ),
    "a convolution": (
        CONVOLUTION.replace("PADDING", "[1, 1]"),
        "",
        "conv",
    ),
}
LOOKS_BACK = {
    "attention": ("  h: {op: Block, repeat: 2}", BLOCKS.replace("CAUSAL", "true")),
    "a recurrence": ("  lstm: {op: lstm, hidden_size: 8, num_layers: 2}", ""),
    "a convolution": (CONVOLUTION.replace("PADDING", "[2, 0]"), ""),
    "half of a recurrence": (
        """
  lstm: {op: lstm, hidden_size: 8, bidirectional: true}
  first: {op: slice, dim: -1, stop: 8, in: lstm.output}
""",
        "",
    ),
}


def compiled(folder: Path, layers: str, blocks: str = "") -> Program:
    file = folder / "net.yaml"
    file.write_text(HEAD + layers + TAIL + blocks)
    return compile_spec(file)


def network(program: Program) -> nn.Module:
    torch.manual_seed(3)
    return build_networks(program)[""]


def run(net: nn.Module) -> Callable[[Tensor], Tensor]:
    return lambda tokens: net(tokens)


TOKENS = torch.randint(VOCAB, (2, 13), generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", LOOKS_AHEAD)
def test_the_layer_that_is_not_causal_is_found(tmp_path: Path, name: str) -> None:
    layers, blocks, layer = LOOKS_AHEAD[name]
    net = network(compiled(tmp_path, layers, blocks))
    found = find_leak(net, run(net), TOKENS)
    assert found is not None
    assert found == layer or found.startswith(f"{layer}.")


@pytest.mark.parametrize("name", LOOKS_BACK)
def test_a_causal_network_passes(tmp_path: Path, name: str) -> None:
    net = network(compiled(tmp_path, *LOOKS_BACK[name]))
    assert find_leak(net, run(net), TOKENS) is None


def test_a_head_of_zeros_hides_nothing(tmp_path: Path) -> None:
    layers, blocks, layer = LOOKS_AHEAD["attention"]
    net = network(compiled(tmp_path, layers, blocks))
    nn.init.zeros_(net.head.weight)  # type: ignore[union-attr, arg-type]
    assert find_leak(net, run(net), TOKENS) == layer
    assert not net.head.weight.any()  # type: ignore[union-attr, operator]


def test_the_network_is_restored(tmp_path: Path) -> None:
    net = network(compiled(tmp_path, *LOOKS_BACK["attention"]))
    net.head.eval()  # type: ignore[union-attr, operator]
    modes = [module.training for module in net.modules()]
    before = {name: one.clone() for name, one in net.state_dict().items()}
    random = torch.get_rng_state()
    find_leak(net, run(net), TOKENS)
    assert random.equal(torch.get_rng_state())
    assert modes == [module.training for module in net.modules()]
    assert all(one.equal(before[name]) for name, one in net.state_dict().items())
    assert not any(module._forward_hooks for module in net.modules())


def test_tokens_that_are_all_alike(tmp_path: Path) -> None:
    layers, blocks, layer = LOOKS_AHEAD["attention"]
    net = network(compiled(tmp_path, layers, blocks))
    for token in (0, 1, 10):
        assert find_leak(net, run(net), torch.full((1, 7), token)) == layer


def test_a_text_of_one_token_is_causal(tmp_path: Path) -> None:
    layers, blocks, _ = LOOKS_AHEAD["attention"]
    net = network(compiled(tmp_path, layers, blocks))
    assert find_leak(net, run(net), TOKENS[:, :1]) is None


def test_a_layer_that_a_block_returns_as_it_is_made(tmp_path: Path) -> None:
    """It has no variable in the code: the block is told of, and its last layer is meant."""
    blocks = """
blocks:
  Mix:
    inputs:
      x: float[B, T, D]
    layers:
      act: relu
      shares: {op: softmax, dim: 1}
"""
    model = learner(compiled(tmp_path, "  h: {op: Mix, repeat: 2}", blocks))
    with pytest.raises(SpecError) as caught:
        check_causal(model, "tokens", TOKENS, model.run)
    (found,) = caught.value.diagnostics
    assert found.path == "Net.h[0].shares"
    assert found.message.startswith("shares looks ahead")


class Model(Learner[LanguageModel]):
    def run(self, tokens: Tensor) -> Tensor:
        return self.output("", "logits", tokens=tokens)


def learner(program: Program) -> Model:
    task = LanguageModel.model_validate({"kind": "language_model", "data": "kjv"})
    nets = {"": network(program)}
    return Model(task, program.typed.networks, nets, {})


@pytest.mark.parametrize("length", [8, 13])  # 8 is the width, too
def test_the_error_is_at_the_layer(tmp_path: Path, length: int) -> None:
    layers, blocks, _ = LOOKS_AHEAD["attention"]
    model = learner(compiled(tmp_path, layers, blocks))
    with pytest.raises(SpecError) as caught:
        check_causal(model, "tokens", TOKENS[:, :length], model.run)
    (found,) = caught.value.diagnostics
    text = (tmp_path / "net.yaml").read_text().splitlines()
    assert text[found.span.line - 1].strip() == "attention:"
    assert found.code == "task-misfit"
    assert found.path == "Net.h[0].attn.attention"
    assert found.message.startswith("attention looks ahead:")
    assert "is_causal: true" in found.help


def test_the_error_of_a_layer_without_a_block(tmp_path: Path) -> None:
    layers, blocks, _ = LOOKS_AHEAD["a recurrence both ways"]
    model = learner(compiled(tmp_path, layers, blocks))
    with pytest.raises(SpecError) as caught:
        check_causal(model, "tokens", TOKENS, model.run)
    (found,) = caught.value.diagnostics
    assert found.path == "Net.lstm"
    assert "bidirectional" in found.help
