"""The rule of each group of ops, on networks of a few layers."""

from __future__ import annotations

from pathlib import Path
from textwrap import indent

import pytest

from compiler.causality.prove import prove
from compiler.ir.causal import Causality
from compiler.pipeline import compile_spec

SPEC = """\
name: Net
dims: {{T: {{min: 16, multiple_of: 4, max: 4096}}}}
inputs: {{{inputs}}}
layers:
{layers}
outputs: {{output: {output}}}
"""


def proved(
    folder: Path, layers: str, inputs: str = "x: 'float[B, T, 8]'", output: str = "out"
) -> Causality:
    text = SPEC.format(
        inputs=inputs, layers=indent(layers.strip(), "  "), output=output
    )
    path = folder / "net.yaml"
    path.write_text(text, encoding="utf-8")
    return prove(compile_spec(path).typed)


def field(found: Causality) -> str:
    """The receptive field of the output in x, or why it depends on later positions."""
    output = found.outputs["output"]
    reach = str(output.flow.field.get("x", "none"))
    return f"{output.leak[0].layer}: {output.leak[0].reason}" if output.leak else reach


CHANNELS = "x: 'float[B, 8, T]'"
ROWS = {
    "pointwise": "out: {op: relu, in: x}",
    "add": "a: {op: relu, in: x}\nout: {op: add, in: [a, x]}",
    "linear": "out: {op: linear, out_features: 4, in: x}",
    "layer norm": "out: {op: layer_norm, in: x}",
    "softmax of channels": "out: {op: softmax, dim: -1, in: x}",
    "permute": "out: {op: permute, dims: [1, 0, 2], in: x}",
    "reshape": "out: {op: reshape, shape: [B, T, 4, 2], in: x}",
    "merged and split": """
a: {op: reshape, shape: [B * T, 8], in: x}
b: {op: linear, out_features: 4, in: a}
out: {op: reshape, shape: [B, T, 4], in: b}""",
    "rearrange": """
a: {op: rearrange, pattern: 'b t (h d) -> (b h) t d', sizes: {h: 2}, in: x}
out: {op: rearrange, pattern: '(b h) t d -> b (h d) t', sizes: {h: 2}, in: a}""",
    "positions": """
a: {op: sinusoidal_encoding, in: x}
out: {op: add, in: [x, a]}""",
    "rotary": """
a: {op: rotary_embedding, dim: 4, in: x}
out: {op: rotate, num_heads: 2, in: [x, a.cos, a.sin]}""",
    "routing": """
a: {op: routing, top_k: 2, num_groups: 2, in: x}
out: {op: gather, dim: -1, in: [x, a.experts]}""",
    "expanded": """
a: {op: parameter, shape: [1, 1, 8]}
b: {op: expand, shape: [B, T, 8], in: a}
out: {op: add, in: [x, b]}""",
}


@pytest.mark.parametrize("case", ROWS)
def test_needs_its_own_position_only(case: str, tmp_path: Path) -> None:
    assert field(proved(tmp_path, ROWS[case])) == "[0, 0]"


PAST = {
    "lstm": ("out: {op: lstm, hidden_size: 4, in: x}", "[-inf, 0]"),
    "cumsum": ("out: {op: cumsum, dim: 1, in: x}", "[-inf, 0]"),
    "first element": (
        """
a: {op: index, dim: 1, index: 0, in: x}
b: {op: unsqueeze, dim: 1, in: a}
out: {op: add, in: [x, b]}""",
        "[-inf, 0]",
    ),
    "causal attention": (
        "out: {op: attention, num_heads: 2, is_causal: true, in: [x, x, x]}",
        "[-inf, 0]",
    ),
    "window": (
        "out: {op: attention, num_heads: 2, is_causal: true, window: 4, in: [x, x, x]}",
        "[-3, 0]",
    ),
    "mask": (
        """
m: {op: causal_mask, in: x}
out: {op: attention, num_heads: 2, in: [x, x, x, m]}""",
        "[-inf, 0]",
    ),
    "multihead": (
        "out: {op: multihead_attention, num_heads: 2, is_causal: true, in: x}",
        "[-inf, 0]",
    ),
    "transformer layer": (
        "out: {op: transformer_encoder_layer, nhead: 2, dim_feedforward: 8, is_causal: true, in: x}",
        "[-inf, 0]",
    ),
    "written out": (
        """
m: {op: causal_mask, in: x}
k: {op: transpose, dim0: 1, dim1: 2, in: x}
s: {op: matmul, in: [x, k]}
scaled: {op: scale, factor: 8, exponent: -0.5, in: s}
later: {op: logical_not, in: m}
masked: {op: masked_fill, value: -.inf, in: [scaled, later]}
w: {op: softmax, dim: -1, in: masked}
drop: {op: dropout, in: w}
out: {op: matmul, in: [drop, x]}""",
        "[-inf, 0]",
    ),
    "einsum": (
        """
s: {op: einsum, equation: 'btd, bsd -> bts', in: [x, x]}
rows: {op: arange, in: x}
r: {op: unsqueeze, dim: 1, in: rows}
c: {op: unsqueeze, dim: 0, in: rows}
near: {op: sub, in: [r, c]}
early: {op: ge, value: 0, in: near}
close: {op: lt, value: 3, in: near}
m: {op: logical_and, in: [early, close]}
masked: {op: where, value: -1.0e+9, in: [m, s]}
w: {op: softmax, dim: 2, in: masked}
out: {op: einsum, equation: 'bts, bsd -> btd', in: [w, x]}""",
        "[-2, 0]",
    ),
    "linear attention": (
        """
k: {op: transpose, dim0: 1, dim1: 2, in: x}
s: {op: matmul, in: [x, k]}
low: {op: tril, in: s}
out: {op: matmul, in: [low, x]}""",
        "[-inf, 0]",
    ),
    "additive mask": (
        """
m: {op: causal_mask, in: x}
f: {op: to, dtype: float, in: m}
n: {op: rsub, in: f}
bias: {op: scale, factor: -1.0e+9, in: n}
out: {op: attention, num_heads: 2, in: {query: x, key: x, value: x, bias: bias}}""",
        "[-inf, 0]",
    ),
    "diff": (
        """
p: {op: pad, pad: [0, 0, 1, 0], in: x}
out: {op: diff, dim: 1, in: p}""",
        "[-1, 0]",
    ),
    "delay": (
        """
a: {op: slice, dim: 1, stop: -1, in: x}
out: {op: pad, pad: [0, 0, 1, 0], in: a}""",
        "[-1, -1]",
    ),
    "prefix": (
        """
a: {op: parameter, shape: [1, 2, 8]}
b: {op: expand, shape: [B, 2, 8], in: a}
out: {op: concat, dim: 1, in: [b, x]}""",
        "[-2, -2]",
    ),
    "lower diagonal": (
        """
p: {op: pad, pad: [0, 0, 1, 0], in: x}
k: {op: transpose, dim0: 1, dim1: 2, in: p}
s: {op: matmul, in: [x, k]}
out: {op: diagonal, dim1: 1, dim2: 2, in: s}""",
        "[-1, 0]",
    ),
}


@pytest.mark.parametrize("case", PAST)
def test_needs_earlier_positions(case: str, tmp_path: Path) -> None:
    layers, reach = PAST[case]
    assert field(proved(tmp_path, layers)) == reach


WINDOWS = {
    "left pad": (
        """
p: {op: pad, pad: [4, 0], in: x}
out: {op: conv1d, out_channels: 8, kernel_size: 3, dilation: 2, in: p}""",
        "[-4, 0]",
    ),
    "trimmed": (
        """
c: {op: conv1d, out_channels: 8, kernel_size: 3, padding: 2, in: x}
out: {op: slice, dim: 2, stop: -2, in: c}""",
        "[-2, 0]",
    ),
    "both sides": (
        """
c: {op: conv1d, out_channels: 8, kernel_size: 3, padding: 1, in: x}
out: {op: relu, in: c}""",
        "c: reads 1 position ahead",
    ),
    "max pool": (
        """
p: {op: pad, pad: [2, 0], in: x}
out: {op: max_pool1d, kernel_size: 3, stride: 1, in: p}""",
        "[-2, 0]",
    ),
    "stride": (
        """
p: {op: pad, pad: [1, 0], in: x}
out: {op: conv1d, out_channels: 8, kernel_size: 2, stride: 2, in: p}""",
        "[-1, 0]",
    ),
    "down and up": (
        """
p: {op: pad, pad: [1, 0], in: x}
down: {op: conv1d, out_channels: 8, kernel_size: 2, stride: 2, in: p}
out: {op: repeat_interleave, repeats: 2, dim: 2, in: down}""",
        "[-2, 0]",
    ),
    "transposed": (
        """
p: {op: pad, pad: [1, 0], in: x}
down: {op: conv1d, out_channels: 8, kernel_size: 2, stride: 2, in: p}
out: {op: conv_transpose1d, out_channels: 8, kernel_size: 2, stride: 2, in: down}""",
        "[-2, 0]",
    ),
    "reflected": (
        "out: {op: conv1d, out_channels: 8, kernel_size: 3, padding: 1, padding_mode: reflect, in: x}",
        "out: padding by reflect reads other places of T",
    ),
    "replicated": (
        """
p: {op: replication_pad1d, padding: [2, 0], in: x}
out: {op: avg_pool1d, kernel_size: 3, stride: 1, in: p}""",
        "[-inf, 0]",
    ),
    "group norm": (
        "out: {op: group_norm, num_groups: 2, in: x}",
        "out: the statistics of group_norm are taken over T",
    ),
    "batch norm": ("out: {op: batch_norm1d, in: x}", "[0, 0]"),
}


@pytest.mark.parametrize("case", WINDOWS)
def test_windows(case: str, tmp_path: Path) -> None:
    layers, found = WINDOWS[case]
    assert field(proved(tmp_path, layers, CHANNELS)) == found


LEAKS = {
    "attention": (
        """
a: {op: attention, num_heads: 2, in: [x, x, x]}
out: {op: relu, in: a}""",
        "a: attends to every position of T",
    ),
    "wrong axis": (
        """
m: {op: causal_mask, in: x}
s: {op: einsum, equation: 'btd, bsd -> bts', in: [x, x]}
masked: {op: where, value: -.inf, in: [m, s]}
w: {op: softmax, dim: 1, in: masked}
out: {op: matmul, in: [w, x]}""",
        "w: reads all later positions",
    ),
    "mask not negated": (
        """
m: {op: causal_mask, in: x}
s: {op: einsum, equation: 'btd, bsd -> bts', in: [x, x]}
masked: {op: masked_fill, value: -.inf, in: [s, m]}
w: {op: softmax, dim: 2, in: masked}
out: {op: matmul, in: [w, x]}""",
        "w: reads all later positions",
    ),
    "mean": (
        """
m: {op: mean, dim: 1, keepdim: true, in: x}
out: {op: sub, in: [x, m]}""",
        "m: mean reads all of T",
    ),
    "flip": (
        """
f: {op: flip, dims: [1], in: x}
out: {op: add, in: [x, f]}""",
        "f: flip reads T from its end",
    ),
    "roll": (
        "out: {op: roll, shifts: [1], dims: [1], in: x}",
        "out: roll brings the end of T to its front",
    ),
    "two directions": (
        """
g: {op: gru, hidden_size: 4, bidirectional: true, in: x}
out: {op: relu, in: g}""",
        "g: reads all later positions",
    ),
    "slice": (
        """
a: {op: slice, dim: 1, start: 1, in: x}
out: {op: pad, pad: [0, 0, 0, 1], in: a}""",
        "a: reads 1 position ahead",
    ),
    "sorted": (
        """
s: {op: sort, dim: 1, in: x}
out: {op: relu, in: s.values}""",
        "s: sort reads all of T",
    ),
    "last state": (
        """
l: {op: lstm, hidden_size: 8, in: x}
h: {op: permute, dims: [1, 0, 2], in: l.hidden}
out: {op: add, in: [x, h]}""",
        "l: lstm is read after the last step",
    ),
    "dynamic rotary": (
        """
a: {op: rotary_embedding, dim: 4, scaling: dynamic, factor: 2, original_max_position_embeddings: 16, in: x}
out: {op: rotate, num_heads: 2, in: [x, a.cos, a.sin]}""",
        "a: beyond the original context, all angles change with T",
    ),
    "T as channels": (
        """
t: {op: permute, dims: [0, 2, 1], in: x}
out: {op: softmax, dim: -1, in: t}""",
        "out: softmax reads all of T",
    ),
}


@pytest.mark.parametrize("case", LEAKS)
def test_leak_is_refused_where_it_enters(case: str, tmp_path: Path) -> None:
    layers, leak = LEAKS[case]
    assert field(proved(tmp_path, layers)) == leak


def test_mask_as_an_input_proves_nothing(tmp_path: Path) -> None:
    inputs = "x: 'float[B, T, 8]', m: 'bool[T, T]'"
    layers = "out: {op: attention, num_heads: 2, in: [x, x, x, m]}"
    assert not proved(tmp_path, layers, inputs).causal
