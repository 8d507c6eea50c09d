"""A param at whose other values a network cannot go on from piece to piece by the same code is no argument."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from compiler import compile_spec
from runtime.load import load_program

INPUTS = "step: T\ninputs: {x: 'float[B, T, 4]'}\nlayers:\n"
TURNED = "  t: {op: transpose, dim0: 1, dim1: 2}\n"
PADDED = TURNED + "  p: {op: pad, pad: [4, 0]}\n"
CONV = PADDED + "  a: {op: conv1d, out_channels: 4, kernel_size: 3, "
CAUSAL = "op: attention, num_heads: 1, is_causal: causal, in: [x, x, x]"
BLOCK = (
    "blocks: {Blk: {params: {causal: bool}, inputs: {x: 'float[B, T, D]'}, layers: "
    f"{{a: {{{CAUSAL}}}, s: {{op: add, in: [x, a]}}}}}}}}\n"
)
SCORES = (
    TURNED
    + "  m: {op: matmul, in: [x, t]}\n  r: {op: arange, in: x}\n  row: {op: unsqueeze, dim: 1}\n"
    "  column: {op: unsqueeze, dim: 0, in: r}\n  no: {op: lt, in: [row, column]}\n"
    "  f: {op: masked_fill, value: value, in: [m, no]}\n  p: {op: softmax, dim: -1}\n  a: {op: matmul, in: [p, x]}\n"
)

FIXED = {
    "a flag": ("causal: true", f"  a: {{{CAUSAL}}}\n", {"causal": False}),
    "a condition on a copy": (
        "full: 4, depth: 4",
        f"  a: {{op: Blk, causal: i < full, repeat: depth}}\n{BLOCK}",
        {"full": 3},
    ),
    "the direction of a recurrence": (
        "both: false",
        "  a: {op: gru, hidden_size: 4, bidirectional: both}\n",
        {"both": True},
    ),
    "a layer that is off": (
        "reverse: false",
        "  f: {op: flip, dims: 1, when: reverse}\n",
        {"reverse": True},
    ),
    "a window longer than the padding before": (
        "kernel: 5, back: 4",
        TURNED
        + "  p: {op: pad, pad: [back, 0]}\n  a: {op: conv1d, out_channels: 4, kernel_size: kernel}\n",
        {"kernel": 3},
    ),
    "windows of copies": (
        "kernels: [2, 3]",
        (
            "  a: {op: Conv, kernel: 'kernels[i]', back: 1 if i == 0 else 2, repeat: len(kernels)}\n"
            "blocks: {Conv: {params: {kernel: int, back: int}, inputs: {x: 'float[B, T, D]'}, layers: {"
            "t: {op: transpose, dim0: 1, dim1: 2}, p: {op: pad, pad: [back, 0]}, "
            "c: {op: conv1d, out_channels: D, kernel_size: kernel}, b: {op: transpose, dim0: 1, dim1: 2}}}}\n"
        ),
        {"kernels": [2, 2]},
    ),
    "a dilation": ("dilation: 2", f"{CONV}dilation: dilation}}\n", {"dilation": 1}),
    "a stride": (
        "stride: 1",
        f"{PADDED}  a: {{op: max_pool1d, kernel_size: 5, stride: stride}}\n",
        {"stride": 2},
    ),
    "a text": (
        "mode: {type: str, default: valid}",
        f"{CONV}dilation: 2, padding: mode}}\n",
        {"mode": "same"},
    ),
    "a dimension": ("dim: -1", "  a: {op: softmax, dim: dim}\n", {"dim": 1}),
    "the value at later positions": ("value: -1.0e9", SCORES, {"value": 0.0}),
}


def _arguments(tmp_path: Path, params: str, layers: str) -> set[str]:
    file = tmp_path / "net.yaml"
    file.write_text(f"name: Net\nparams: {{{params}}}\n{INPUTS}{layers}")
    (network,) = load_program(compile_spec(file)).values()
    return {*inspect.signature(network).parameters}


@pytest.mark.parametrize("case", FIXED)
def test_what_looks_ahead_at_another_value_is_no_argument(
    case: str, tmp_path: Path
) -> None:
    params, layers, changed = FIXED[case]
    assert not _arguments(tmp_path, params, layers) & changed.keys()
    elsewhere = compile_spec(tmp_path / "net.yaml", settings=changed, strict=False)
    assert {one.code for one in elsewhere.check()} & {"not-causal", "no-code"}


FREE = {
    "a window with padding of its length": (
        "kernel: 3, dilation: 2",
        TURNED + "  p: {op: pad, pad: ['dilation * (kernel - 1)', 0]}\n"
        "  a: {op: conv1d, out_channels: 4, kernel_size: kernel, dilation: dilation}\n",
        {"kernel", "dilation"},
    ),
    "copies, each with padding of its own": (
        "dilations: [1, 2, 4], depth: 2",
        (
            "  a: {op: Conv, dilation: 'dilations[i]', repeat: len(dilations)}\n"
            "  b: {op: Conv, dilation: 3, repeat: depth}\n"
            "blocks: {Conv: {params: {dilation: int}, inputs: {x: 'float[B, T, D]'}, layers: {"
            "t: {op: transpose, dim0: 1, dim1: 2}, p: {op: pad, pad: [dilation, 0]}, "
            "c: {op: conv1d, out_channels: D, kernel_size: 2, dilation: dilation}, "
            "b: {op: transpose, dim0: 1, dim1: 2}}}}\n"
        ),
        {"dilations", "depth"},
    ),
    "copies of what is causal": (
        "depth: 3, causal: true, wide: false",
        "  a: {op: Blk, causal: causal, repeat: depth}\n  w: {op: linear, out_features: 4, when: wide}\n"
        + BLOCK,
        {"depth", "wide"},
    ),
    "a window of keys": (
        "window: 4, heads: 2",
        "  a: {op: attention, num_heads: heads, is_causal: true, window: window, in: [x, x, x]}\n",
        {"window", "heads"},
    ),
}


@pytest.mark.parametrize("case", FREE)
def test_what_is_causal_at_all_values_is_an_argument(case: str, tmp_path: Path) -> None:
    params, layers, free = FREE[case]
    assert free <= _arguments(tmp_path, params, layers)
