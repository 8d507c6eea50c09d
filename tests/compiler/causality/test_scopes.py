"""Blocks, repeats, conditions and scans: summaries are composed as the layers inside would be."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler.causality.prove import prove
from compiler.ir.causal import Causality
from compiler.pipeline import compile_spec

STEP = """
  Step:
    inputs: {x: 'float[B, D]', state: 'float[B, D]'}
    layers:
      LAYERS
    outputs: {state: NEXT, out: OUT}
"""
SHIFT = """
  Shift:
    params: {by: 1}
    inputs: {x: 'float[B, T, D]'}
    layers:
      ahead: {op: pad, pad: [0, 0, by, 0]}
      cut: {op: slice, dim: 1, stop: -by}
"""
WINDOW = """
  Window:
    inputs: {x: 'float[B, T, D]', mask: 'bool[T, T]?'}
    layers:
      attend: {op: attention, num_heads: 2, in: {query: x, key: x, value: x, mask: mask}}
"""


STACK = """\
  a: {op: Shift, repeat: {count: 3, stack: {all: output}}}
  b: {op: sum, dim: 0, in: a.all}"""


def proved(
    folder: Path, layers: str, blocks: str, params: str = "{}", size: str = "8"
) -> Causality:
    text = f"""\
name: Net
params: {params}
dims: {{T: {{min: 8}}}}
inputs: {{x: 'float[B, T, {size}]'}}
layers:
{layers}
blocks:
{blocks}
"""
    file = folder / "net.yaml"
    file.write_text(text, encoding="utf-8")
    return prove(compile_spec(file).typed)


def field(found: Causality) -> str:
    (output,) = found.outputs.values()
    if output.leak:
        return f"{output.leak[0].path}: {output.leak[0].reason}"
    return str(output.flow.field["x"])


def step(layers: str, following: str, out: str) -> str:
    inside = layers.replace("\n", "\n      ")
    found = STEP.replace("LAYERS", inside)
    return found.replace("NEXT", following).replace("OUT", out)


SCAN = "  s: {op: Step, scan: T, carry: {state: 'zeros[B, 8]'}, in: x}\n  y: {op: relu, in: s.out}"
ADD = "sum: {op: add, in: [x, state]}"


@pytest.mark.parametrize(
    ("scan", "block", "reach"),
    [
        (SCAN, step(ADD, "sum", "sum"), "[-inf, 0]"),
        # What is carried is the input alone: a delay of one.
        (SCAN, step("now: {op: tanh, in: x}\n" + ADD, "now", "sum"), "[-1, 0]"),
        (SCAN, step("now: {op: tanh, in: x}\n" + ADD, "sum", "now"), "[0, 0]"),
        (
            SCAN.replace("scan: T", "scan: T, reverse: true"),
            step(ADD, "sum", "sum"),
            "Net.s: reads all later positions",
        ),
    ],
)
def test_scan(tmp_path: Path, scan: str, block: str, reach: str) -> None:
    assert field(proved(tmp_path, scan, block)) == reach


def test_last_state_of_a_scan_is_of_all(tmp_path: Path) -> None:
    layers = SCAN + "\n  last: {op: unsqueeze, dim: 1, in: s.state}\n"
    layers += "  out: {op: add, in: [y, last]}"
    found = field(proved(tmp_path, layers, step(ADD, "sum", "sum")))
    assert found == "Net.s: a state after the last step"


def test_scan_along_another_axis(tmp_path: Path) -> None:
    """A scan over channels, whose state carries T."""
    layers = """\
  c: {op: transpose, dim0: 1, dim1: 2, in: x}
  s: {op: Row, scan: W, carry: {state: 'zeros[B, T]'}, in: c}
  y: {op: transpose, dim0: 1, dim1: 2, in: s.out}"""
    block = """
  Row:
    inputs: {x: 'float[B, T]', state: 'float[B, T]'}
    layers:
      sum: {op: add, in: [x, state]}
      past: {op: cumsum, dim: 1}
    outputs: {state: sum, out: past}
"""
    assert field(proved(tmp_path, layers, block, size="W")) == "[-inf, 0]"


@pytest.mark.parametrize(
    ("layers", "reach"),
    [
        ("  a: {op: Shift, repeat: 5}", "[-5, -5]"),
        ("  a: {op: Shift, by: i + 1, repeat: 4}", "[-10, -10]"),
        ("  a: {op: Shift, when: off}\n  b: {op: relu}", "[0, 0]"),
        (
            STACK,
            "[-3, -1]",
        ),
        ("  a: Shift\n  b: {share: a, in: a}", "[-2, -2]"),
    ],
)
def test_copies(tmp_path: Path, layers: str, reach: str) -> None:
    assert field(proved(tmp_path, layers, SHIFT, "{off: false}")) == reach


def test_mask_that_a_block_is_given(tmp_path: Path) -> None:
    """The same block with a causal mask and without one: two summaries."""
    layers = "  m: {op: causal_mask, in: x}\n  a: {op: Window, in: [x, m]}"
    assert field(proved(tmp_path, layers, WINDOW)) == "[-inf, 0]"
    leak = field(proved(tmp_path, layers + "\n  b: {op: Window, in: a}", WINDOW))
    assert leak == "Net.b.attend: attends to every position of T"


def test_copy_that_looks_ahead_is_named(tmp_path: Path) -> None:
    block = """
  Maybe:
    params: {causal: bool}
    inputs: {x: 'float[B, T, D]'}
    layers:
      attend: {op: attention, num_heads: 2, is_causal: causal, in: [x, x, x]}
"""
    found = proved(tmp_path, "  a: {op: Maybe, causal: i < 2, repeat: 4}", block)
    assert field(found) == "Net.a[2].attend: attends to every position of T"


def test_what_is_cut_off_and_padded_again_looks_ahead(tmp_path: Path) -> None:
    """One position is delayed, and one read ahead: at the end, a longer sequence has another element there."""
    layers = """\
  a: {op: Shift, in: x}
  c: {op: transpose, dim0: 1, dim1: 2, in: a}
  d: {op: conv1d, out_channels: 8, kernel_size: 3, padding: 1, in: c}"""
    found = field(proved(tmp_path, layers, SHIFT))
    assert found.startswith("Net.d: reads past the end of what is cut off")
