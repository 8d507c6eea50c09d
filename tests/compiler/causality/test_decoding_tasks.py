"""A task that decodes is refused where its network looks ahead, and the proof agrees with running the network twice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from compiler import compile_spec
from compiler.causality.prove import prove
from compiler.diagnostics.diagnostic import SpecError
from compiler.program import Program
from runtime.load import build_networks
from tests.causal_oracle import find_leak

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
        "mean",
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
}
TASK = """
task: {kind: language_model, data: {text: {path: text.txt}}}
"""


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
def test_network_that_looks_ahead_is_refused(tmp_path: Path, name: str) -> None:
    layers, blocks, layer = LOOKS_AHEAD[name]
    program = compiled(tmp_path, layers, blocks)
    net = network(program)
    assert find_leak(net, run(net), TOKENS) is not None
    found = prove(program.typed)
    ((_, steps),) = found.leaks
    assert steps[0].path.replace("[", ".").replace("]", "") == f"Net.{layer}"


@pytest.mark.parametrize("name", LOOKS_BACK)
def test_causal_network_is_proved(tmp_path: Path, name: str) -> None:
    program = compiled(tmp_path, *LOOKS_BACK[name])
    net = network(program)
    assert find_leak(net, run(net), TOKENS) is None
    assert prove(program.typed).causal


def test_what_is_dropped_of_a_vector_counts(tmp_path: Path) -> None:
    """The proof does not tell channels apart: half of a recurrence in two directions is refused."""
    layers = """
  lstm: {op: lstm, hidden_size: 8, bidirectional: true}
  first: {op: slice, dim: -1, stop: 8, in: lstm.output}
"""
    program = compiled(tmp_path, layers)
    net = network(program)
    assert find_leak(net, run(net), TOKENS) is None
    assert not prove(program.typed).causal


def test_a_head_of_zeros_hides_nothing(tmp_path: Path) -> None:
    layers, blocks, layer = LOOKS_AHEAD["attention"]
    net = network(compiled(tmp_path, layers, blocks))
    nn.init.zeros_(net.head.weight)  # type: ignore[union-attr, arg-type]
    assert find_leak(net, run(net), TOKENS) == layer
    assert not net.head.weight.any()  # type: ignore[union-attr, operator]


def test_tokens_that_are_all_alike(tmp_path: Path) -> None:
    layers, blocks, layer = LOOKS_AHEAD["attention"]
    net = network(compiled(tmp_path, layers, blocks))
    for token in (0, 1, 10):
        assert find_leak(net, run(net), torch.full((1, 7), token)) == layer


def test_the_error_is_at_the_layer(tmp_path: Path) -> None:
    layers, blocks, _ = LOOKS_AHEAD["attention"]
    with pytest.raises(SpecError) as caught:
        compiled(tmp_path, layers, blocks + TASK)
    (found,) = caught.value.diagnostics
    text = (tmp_path / "net.yaml").read_text().splitlines()
    assert text[found.span.line - 1].strip() == "attention:"
    assert found.code == "not-causal"
    assert found.path == "Net.h[0].attn.attention"
    assert found.message.startswith(
        "logits depends on later positions of tokens: h[0]."
    )
    assert found.label == "attends to every position of T"
    assert "is_causal: true" in found.help


def test_the_error_of_a_layer_without_a_block(tmp_path: Path) -> None:
    layers, blocks, _ = LOOKS_AHEAD["a recurrence both ways"]
    with pytest.raises(SpecError) as caught:
        compiled(tmp_path, layers, blocks + TASK)
    (found,) = caught.value.diagnostics
    assert found.path == "Net.lstm"
    assert "bidirectional" in found.help


def test_a_causal_network_has_its_task(tmp_path: Path) -> None:
    assert compiled(tmp_path, LOOKS_BACK["a recurrence"][0], TASK).task is not None


STEP = HEAD.replace("name: Net", "name: Net\nstep: STEP")


@pytest.mark.parametrize(
    ("step", "code"),
    [
        ("T", None),
        ("{T: [tokens]}", None),
        ("S", "unknown-name"),
        ("{T: [token]}", "unknown-name"),
        ("[T]", "bad-type"),
        ("{T: tokens}", "bad-type"),
        ("t", "bad-name"),
    ],
)
def test_step(tmp_path: Path, step: str, code: str | None) -> None:
    file = tmp_path / "net.yaml"
    file.write_text(STEP.replace("STEP", step) + "  h: relu" + TAIL)
    if code is None:
        assert not compile_spec(file).check()
        return
    with pytest.raises(SpecError) as caught:
        compile_spec(file)
    assert [one.code for one in caught.value.diagnostics] == [code]
    assert caught.value.diagnostics[0].span.line == 3


def test_step_along_which_a_network_looks_ahead(tmp_path: Path) -> None:
    layers, blocks, _ = LOOKS_AHEAD["a convolution"]
    file = tmp_path / "net.yaml"
    file.write_text(STEP.replace("STEP", "T") + layers + TAIL + blocks)
    with pytest.raises(SpecError) as caught:
        compile_spec(file)
    (found,) = caught.value.diagnostics
    assert (found.code, found.path, found.label) == (
        "not-causal",
        "Net.conv",
        "reads 1 position ahead",
    )


def test_step_of_several_networks(tmp_path: Path) -> None:
    """Each network that has the dimension must be causal."""
    file = tmp_path / "nets.yaml"
    network = """
  NAME:
    inputs: {x: 'float[B, T, 8]'}
    layers: {a: {op: ACT, dim: 1}}
"""
    two = network.replace("NAME", "back").replace("ACT", "cumsum")
    two += network.replace("NAME", "ahead").replace("ACT", "softmax")
    file.write_text("name: Nets\nstep: T\nnetworks:" + two)
    with pytest.raises(SpecError) as caught:
        compile_spec(file)
    (found,) = caught.value.diagnostics
    assert (found.code, found.path) == ("not-causal", "Ahead.a")
