"""Every decoder in specs/ run in pieces gives what it gives for the whole sequence: outputs and gradients."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from compiler import compile_spec
from compiler.diagnostics.diagnostic import SpecError
from tests.generated.networks import small
from tests.generated.stepped import LENGTH, STEPPED, Stepped, first
from tests.programs import chosen

PIECES = ([1] * LENGTH, [LENGTH], [4, 1, 1, 3, 2])


def test_every_decoder_steps() -> None:
    assert len(STEPPED) == 41


@pytest.mark.parametrize("spec", chosen(STEPPED))
def test_pieces_give_what_the_whole_gives(spec: str) -> None:
    _check_pieces(Stepped(small(spec)))


def _check_pieces(stepped: Stepped) -> None:
    with torch.no_grad():
        wanted = stepped.whole()
        for sizes in PIECES:
            for most in (None, LENGTH):
                found = stepped.pieces(sizes, stepped.begin(most))
                torch.testing.assert_close(found, wanted, rtol=0, atol=1e-10)


@pytest.mark.parametrize("spec", chosen(STEPPED))
def test_gradients(spec: str) -> None:
    _check_gradients(Stepped(small(spec)))


def _check_gradients(stepped: Stepped) -> None:
    parameters = list(stepped.network.parameters())
    wanted = stepped.whole()
    found = stepped.pieces(PIECES[-1], stepped.begin(None))
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-10)
    weights = torch.randn_like(wanted)
    for one, other in zip(
        torch.autograd.grad((found * weights).sum(), parameters, allow_unused=True),
        torch.autograd.grad((wanted * weights).sum(), parameters, allow_unused=True),
        strict=True,
    ):
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("spec", ["gpt2", "mistral", "mamba_130m", "t5_small"])
def test_rows_can_be_chosen_and_states_copied(spec: str) -> None:
    stepped, rows = Stepped(small(spec)), torch.tensor([2, 0, 0])
    with torch.no_grad():
        state = stepped.begin(LENGTH)
        stepped.pieces([5], state)
        kept = state.clone()
        chosen = state.select(rows)
        given = {name: x[rows] for name, x in stepped.part(5, LENGTH - 5).items()}
        found = first(stepped.network.step(**given, state=chosen))
        torch.testing.assert_close(found, stepped.whole()[rows, 5:], rtol=0, atol=1e-10)
        rest = stepped.part(5, LENGTH - 5)
        again = first(stepped.network.step(**rest, state=kept))
        torch.testing.assert_close(again, stepped.whole()[:, 5:], rtol=0, atol=1e-10)


def test_a_longer_sequence_than_there_are_positions_is_an_error() -> None:
    stepped = Stepped(small("gpt2"))
    context = stepped.network.context
    state = stepped.begin(None)
    with pytest.raises(ValueError, match="longer than the network takes"):
        stepped.network.step(torch.zeros(1, context + 1, dtype=torch.long), state)
    assert state.position == 0 and state.size == 0


def test_rewind() -> None:
    stepped = Stepped(small("gpt2"))
    tokens = stepped.inputs["tokens"]
    with torch.no_grad():
        state = stepped.begin(None)
        stepped.network.step(tokens[:, :6], state)
        stepped.network.step(tokens[:, :3], state)
        state.rewind(3)
        found = stepped.network.step(tokens[:, 6:], state)
        torch.testing.assert_close(found, stepped.whole()[:, 6:], rtol=0, atol=1e-10)
    mamba = Stepped(small("mamba_130m"))
    state = mamba.begin(None)
    mamba.pieces([3], state)
    with pytest.raises(ValueError, match="forgotten"):
        state.rewind(1)
    assert state.position == 3


_WRITTEN_OUT = """\
  scores: {op: einsum, equation: 'b t d, b s d -> b t s', in: [x, x]}
  allowed: {op: causal_mask, in: x}
  forbidden: {op: logical_not}
  masked: {op: masked_fill, value: -.inf, in: [scores, forbidden]}
  weights: {op: softmax, dim: -1}
  y: {op: matmul, in: [weights, x]}
"""
_HEADS = """\
  q: {op: rearrange, pattern: "b t (h d) -> b h t d", sizes: {h: 2}, in: x}
  k: {op: rearrange, pattern: "b t (h d) -> b h d t", sizes: {h: 2}, in: x}
  v: {op: rearrange, pattern: "b t (h d) -> b h t d", sizes: {h: 2}, in: x}
  scores: {op: matmul, in: [q, k]}
  allowed: {op: causal_mask, in: x}
  real: {op: padding_mask, padding_idx: 3, in: tokens}
  keys: {op: rearrange, pattern: b t -> b 1 1 t, in: real}
  both: {op: logical_and, in: [allowed, keys]}
  masked: {op: where, value: -.inf, in: [both, scores]}
  weights: {op: softmax, dim: -1}
  heads: {op: einsum, equation: "b h t s, b h s d -> b h t d", in: [weights, v]}
  y: {op: rearrange, pattern: "b h t d -> b t (h d)"}
"""
_MASK_FROM_TOKENS = """\
  real: {op: padding_mask, padding_idx: 3, in: tokens}
  y: {op: attention, num_heads: 2, is_causal: true, in: {query: x, key: x, value: x, mask: real}}
"""
_DISTANCES = """\
  rows: {op: unsqueeze, dim: 2, in: x}
  columns: {op: unsqueeze, dim: 1, in: x}
  apart: {op: sub, in: [rows, columns]}
  squares: {op: square}
  scores: {op: sum, dim: -1}
  negative: {op: neg}
  allowed: {op: causal_mask, in: x}
  masked: {op: where, value: -.inf, in: [allowed, negative]}
  weights: {op: softmax, dim: -1}
  y: {op: matmul, in: [weights, x]}
"""
_WITH_WEIGHTS = """\
  real: {op: padding_mask, padding_idx: 3, in: tokens}
  allowed: {op: causal_mask, in: x}
  thin: {op: linear, out_features: 2, in: x}
  a: {op: multihead_attention, num_heads: 2, is_causal: true, in: {query: x, key_padding_mask: real}}
  b: {op: multihead_attention, num_heads: 2, in: {query: a, key: thin, attn_mask: allowed, key_padding_mask: real}}
  c: {op: multihead_attention, num_heads: 1, bias: false, is_causal: true, in: {query: b, value: thin}}
  y: {op: add, in: [b, c]}
"""
_COPIES = """\
  c: {op: linear, out_features: 12, in: x}
  qkv: {op: chunk, chunks: 3, dim: -1}
  y:
    op: attention
    num_heads: 2
    is_causal: true
    in: {query: qkv.0, key: qkv.1, value: qkv.2}
    repeat: 2
"""


@pytest.mark.parametrize(
    "layers",
    [_WRITTEN_OUT, _HEADS, _MASK_FROM_TOKENS, _DISTANCES, _WITH_WEIGHTS, _COPIES],
    ids=[
        "einsum",
        "matmul by heads",
        "mask from tokens",
        "distances",
        "with weights",
        "copies",
    ],
)
def test_attention_written_out_runs_in_pieces(layers: str, tmp_path: Path) -> None:
    stepped = Stepped(compile_spec(_spec(layers, tmp_path)))
    stepped.inputs["tokens"][:, 0] = 2  # which is not masked: all attend to it
    _check_pieces(stepped)
    _check_gradients(stepped)
    with torch.no_grad():
        state = stepped.begin(LENGTH)
        stepped.pieces([5], state)
        chosen, rows = state.select(torch.tensor([1, 1])), torch.tensor([1, 1])
        state.rewind(2)
        for sizes, start, one, of in (([6], 5, chosen, rows), ([8], 3, state, ...)):
            given = {n: x[of] for n, x in stepped.part(start, sizes[0]).items()}
            found = first(stepped.network.step(**given, state=one))
            wanted = (
                stepped.whole()[of, start:]
                if of is rows
                else stepped.whole()[:, start:]
            )
            torch.testing.assert_close(found, wanted, rtol=0, atol=1e-10)
        with pytest.raises(ValueError, match="room for 11"):
            stepped.network.step(**stepped.part(0, 1), state=state)


_CHOMPED = """\
  c: {op: transpose, dim0: 1, dim1: 2, in: x}
  conv: {op: conv1d, out_channels: 4, kernel_size: 3, dilation: 2, padding: 4}
  act: relu
  cut: {op: slice, dim: 2, stop: -4}
  again: {op: conv1d, out_channels: 4, kernel_size: 2, padding: 1}
  cut_again: {op: slice, dim: 2, stop: -1}
  y: {op: transpose, dim0: 1, dim1: 2}
"""
_IMAGE = """\
  c: {op: unsqueeze, dim: 1, in: x}
  conv: {op: conv2d, out_channels: 3, kernel_size: 3, padding: [2, 1]}
  cut: {op: slice, dim: 2, stop: -2}
  pool: {op: max_pool2d, kernel_size: [2, 1], stride: 1, padding: [1, 0]}
  cut_again: {op: slice, dim: 2, stop: -1}
  y: {op: mean, dim: 1}
"""
_POOLS = """\
  c: {op: transpose, dim0: 1, dim1: 2, in: x}
  largest: {op: max_pool1d, kernel_size: 2, stride: 1, padding: 1}
  cut: {op: slice, dim: 2, stop: -1}
  mean: {op: avg_pool1d, kernel_size: 2, stride: 1, padding: 1}
  cut_again: {op: slice, dim: 2, stop: -1}
  y: {op: transpose, dim0: 1, dim1: 2}
"""
_RUNNING = """\
  sum: {op: cumsum, dim: 1, in: x}
  squashed: {op: tanh}
  product: {op: cumprod, dim: -2}
  y: {op: logcumsumexp, dim: 1}
"""
_EXTREMA = """\
  most: {op: cummax, dim: 1, in: x}
  place: {op: to, dtype: float, in: most.indices}
  least: {op: cummin, dim: -2, in: x}
  sum: {op: add, in: [place, least.values]}
  y: {op: add, in: [sum, most.values]}
"""
_PADS = """\
  shifted: {op: pad, pad: [0, 0, 1, -1], in: x}
  c: {op: unsqueeze, dim: 1}
  both: {op: pad, pad: [1, 1, 2, 0], value: 0.5}
  conv: {op: conv2d, out_channels: 3, kernel_size: 3}
  y: {op: mean, dim: 1}
"""
_LISTS = """\
  c:
    layers:
      - {op: linear, out_features: 4}
      - {op: cumsum, dim: 1}
      - {op: Attend}
      - tanh
    in: x
  t: {op: transpose, dim0: 1, dim1: 2}
  conv:
    layers:
      - {op: conv1d, out_channels: 4, kernel_size: 3, padding: 2}
      - relu
  cut: {op: slice, dim: 2, stop: -2}
  y: {op: transpose, dim0: 1, dim1: 2}
"""


@pytest.mark.parametrize(
    "layers",
    [_CHOMPED, _IMAGE, _POOLS, _RUNNING, _EXTREMA, _PADS, _LISTS],
    ids=["convolutions", "images", "pools", "running", "extrema", "pads", "lists"],
)
def test_layers_with_a_past_of_their_own(layers: str, tmp_path: Path) -> None:
    file = _spec(layers, tmp_path)
    if "Attend" in layers:
        file.write_text(
            f"{file.read_text()}blocks:\n  Attend:\n"
            '    inputs: {x: "float[B, T, D]"}\n    layers:\n'
            "      y: {op: attention, num_heads: 2, is_causal: true, in: [x, x, x]}\n"
        )
    stepped = Stepped(compile_spec(file))
    _check_pieces(stepped)
    _check_gradients(stepped)
    rows = torch.tensor([2, 0, 0])
    with torch.no_grad():
        state = stepped.begin(LENGTH)
        stepped.pieces([4], state)
        rest = {name: x[rows] for name, x in stepped.part(4, LENGTH - 4).items()}
        found = first(stepped.network.step(**rest, state=state.select(rows)))
        wanted = stepped.whole()[rows, 4:]
        torch.testing.assert_close(found, wanted, rtol=0, atol=1e-10)
        if layers != _LISTS:
            with pytest.raises(ValueError, match="forgotten"):
                state.rewind(1)


_AHEAD = """\
  c: {op: transpose, dim0: 1, dim1: 2, in: x}
  conv: {op: conv1d, out_channels: 4, kernel_size: 3, padding: 1}
  later: {op: pad, pad: [1, 0]}
  cut: {op: slice, dim: 2, stop: -1}
  y: {op: transpose, dim0: 1, dim1: 2}
"""
_PREFIX = """\
  p: {op: parameter, shape: [1, 2, 4]}
  e: {op: expand, shape: [B, 2, 4]}
  whole: {op: concat, dim: 1, in: [e, x]}
  y: {op: slice, dim: 1, start: 2}
"""


@pytest.mark.parametrize(
    ("layers", "layer"),
    [(_AHEAD, "later"), (_PREFIX, "whole")],
    ids=["what looks ahead and is delayed", "a prefix"],
)
def test_what_cannot_run_in_pieces_is_refused(
    layers: str, layer: str, tmp_path: Path
) -> None:
    with pytest.raises(SpecError) as caught:
        assert compile_spec(_spec(layers, tmp_path)).python
    (found,) = caught.value.diagnostics
    assert (found.code, found.path) == ("no-code", f"Net.{layer}")


def _spec(layers: str, folder: Path) -> Path:
    """A file with a network of some layers after an embedding, x: float[B, T, 4]."""
    file = folder / "net.yaml"
    file.write_text(
        'name: Net\nstep: T\ninputs: {tokens: "int[B, T]"}\nlayers:\n'
        "  x: {op: embedding, num_embeddings: 9, embedding_dim: 4}\n"
        f"{layers}outputs: {{y: y}}\n"
    )
    return file


@pytest.mark.parametrize(
    ("spec", "numbers"),
    [
        ("gpt2", lambda n: 2 * n.depth * 3 * 16 * n.width),
        ("mistral", lambda n: 2 * n.depth * 3 * n.window * n.kv_width),
        ("mamba_130m", lambda n: n.depth * 3 * n.channels * (n.kernel - 1 + n.states)),
    ],
)
def test_size(spec: str, numbers: Callable[[Any], int]) -> None:
    """In bytes: that of the keys and values, the last positions, and the states; no more after more positions."""
    stepped = Stepped(small(spec))
    params = SimpleNamespace(**stepped.instance.params)
    params.kv_width = getattr(params, "kv_heads", 1) * params.width // 6
    params.channels, params.kernel = 2 * params.width, getattr(params, "kernel_size", 0)
    with torch.no_grad():
        state = stepped.begin(16)
        for sizes in ([5], [1, 1]):
            stepped.pieces(sizes, state)
            assert state.size == 8 * numbers(params)


@pytest.mark.parametrize(
    ("spec", "settled"),
    [
        ("gpt2", 1),
        ("mamba_130m", 1),
        ("rnn", 1),
        pytest.param("mistral", 5, marks=pytest.mark.deep),
    ],
)
@torch.no_grad()
def test_compiled_once_for_all_positions(spec: str, settled: int) -> None:
    """Mistral's window of 4 is full after 4 positions, and is then overwritten."""
    stepped = Stepped(small(spec))
    graphs: list[int] = []

    def backend(graph: Any, inputs: Any) -> Any:
        graphs.append(1)
        return graph.forward

    step = torch.compile(stepped.network.step, backend=backend, dynamic=True)
    counts, found = [], []
    state = stepped.begin(LENGTH + 1)
    for n in range(LENGTH):
        found.append(first(step(**stepped.part(n, 1), state=state)))
        counts.append(len(graphs))
    assert counts[settled] == counts[-1]
    torch.testing.assert_close(torch.cat(found, 1), stepped.whole(), rtol=0, atol=1e-10)
