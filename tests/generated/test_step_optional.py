"""Networks with optional inputs, and layers that have no value without them, in pieces: as on the whole."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pytest
import torch

from compiler import compile_spec
from compiler.diagnostics.diagnostic import SpecError
from compiler.program import Program
from tests.generated.stepped import LENGTH, Stepped

PIECES = ([1] * LENGTH, [LENGTH], [4, 1, 1, 3, 2])

_MASKED = """\
inputs: {x: "float[B, T, 8]", mask: "bool[B, T]?"}
layers:
  column: {op: unsqueeze, dim: -1, in: mask, when: given(mask), else: null}
  kept: {op: to, dtype: float, when: given(mask), else: null}
  masked: {op: mul, in: [x, kept], when: given(mask), else: x}
  g: {op: gru, hidden_size: 8}
  y: {op: attention, num_heads: 2, is_causal: true, in: {query: g.output, key: g.output, value: x, mask: mask}}
"""
_COUNTED = """\
inputs: {x: "float[B, T, 8]", mask: "bool[B, T]?"}
layers:
  every: {op: mean, dim: -1, in: x}
  ones: {op: ones_like}
  count: {op: to, dtype: float, in: mask, when: given(mask), else: ones}
  places: {op: cumsum, dim: 1}
  column: {op: unsqueeze, dim: -1}
  y: {op: add, in: [x, column]}
"""
_STREAM = """\
inputs: {x: "float[B, T, 8]", w: "float[B, T, 8]?"}
layers:
  r: {op: gru, hidden_size: 8, in: w, when: given(w), else: null}
  s: {op: add, in: [x, r.output], when: given(w), else: x}
  y: {op: attention, num_heads: 2, is_causal: true, in: [s, s, s]}
"""
_EITHER = """\
inputs: {x: "float[B, T, 8]", w: "float[B, T, 8]?"}
layers:
  own: {op: cumsum, dim: 1, in: x, when: not given(w), else: x}
  other: {op: cumprod, dim: 1, in: w, when: given(w), else: own}
  y: {op: attention, num_heads: 2, is_causal: true, in: [other, other, x]}
"""
_MEMORY = """\
inputs: {x: "float[B, T, 8]", m: "float[B, S, 8]?", real: "bool[B, S]?"}
layers:
  a: {op: Layer, repeat: 2, in: [x, m, real]}
  k: {op: linear, out_features: 8, in: m, when: given(m), else: null}
  c: {op: attention, num_heads: 2, in: [a, k, k], when: given(m), else: a}
  y: {op: add, in: [c, x]}
blocks:
  Layer:
    inputs: {x: "float[B, T, D]", m: "float[B, S, D]?", real: "bool[B, S]?"}
    layers:
      s: {op: attention, num_heads: 2, is_causal: true, window: 4, in: [x, x, x]}
      n: {op: layer_norm, in: m, when: given(m), else: null}
      k: {op: linear, out_features: D, in: n, when: given(m), else: null}
      c: {op: attention, num_heads: 2, in: {query: s, key: k, value: n, mask: real}, when: given(m), else: s}
      o: {op: add, in: [x, c]}
"""
_PARAM = """\
inputs: {x: "float[B, T, 8]"}
layers:
  a: {op: Layer, deep: true, in: x}
  y: {op: Layer, deep: false, in: a}
blocks:
  Layer:
    params: {deep: bool}
    inputs: {x: "float[B, T, D]"}
    layers:
      g: {op: gru, hidden_size: D, when: deep, else: null}
      s: {op: add, in: [x, g.output], when: deep, else: x}
      a: {op: attention, num_heads: 2, is_causal: true, in: [s, s, s], when: not deep, else: s}
"""
_IN_ITSELF = """\
inputs: {x: "float[B, T, 8]", m: "float[B, S, 8]"}
layers:
  r: {op: R, n: 3, in: [x, m]}
  y: {op: cumsum, dim: 1}
blocks:
  R:
    params: {n: int}
    inputs: {x: "float[B, T, D]", m: "float[B, S, D]"}
    layers:
      k: {op: linear, out_features: D, in: m}
      c: {op: attention, num_heads: 2, in: {query: x, key: k, value: m}}
      inner: {op: R, n: n - 1, when: n > 1, in: [c, m]}
      o: {op: add, in: [x, inner]}
"""


@pytest.mark.parametrize(
    "text",
    [_MASKED, _COUNTED, _STREAM, _EITHER, _MEMORY, _PARAM, _IN_ITSELF],
    ids=[
        "masked",
        "counted",
        "stream",
        "either",
        "memory",
        "param",
        "a block in itself",
    ],
)
def test_pieces_give_what_the_whole_gives(text: str, tmp_path: Path) -> None:
    program = _compiled(text, tmp_path)
    for stepped in _each_way(program):
        parameters = list(stepped.network.parameters())
        wanted = stepped.whole()
        for sizes in PIECES:
            with torch.no_grad():
                found = stepped.pieces(sizes, stepped.begin(LENGTH))
                torch.testing.assert_close(found, wanted, rtol=0, atol=1e-10)
        found = stepped.pieces(PIECES[-1], stepped.begin(None))
        torch.testing.assert_close(found, wanted, rtol=0, atol=1e-10)
        if wanted.requires_grad:
            both = (
                torch.autograd.grad(
                    x.square().sum(),
                    parameters,
                    allow_unused=True,
                    materialize_grads=True,
                )
                for x in (found, wanted)
            )
            torch.testing.assert_close(*both, rtol=1e-9, atol=1e-9)


def test_a_block_in_itself_that_keeps_something_is_refused(tmp_path: Path) -> None:
    text = _IN_ITSELF.replace(
        "{query: x, key: k, value: m}", "[x, x, x], is_causal: true"
    )
    with pytest.raises(SpecError) as caught:
        assert _compiled(text, tmp_path).python
    (found,) = caught.value.diagnostics
    assert (found.code, found.path) == ("no-code", "R.inner")
    assert "keeps earlier positions" in found.message


def _compiled(text: str, folder: Path) -> Program:
    file = folder / "net.yaml"
    file.write_text(f"name: Net\nstep: T\noutputs: {{y: y}}\n{text}", encoding="utf-8")
    return compile_spec(file)


def _each_way(program: Program) -> Iterator[Stepped]:
    """The network with each set of its optional inputs."""
    scope = next(iter(program.typed.networks.values())).scope
    optional = [name for name, port in scope.inputs.items() if port and port.optional]
    for count in range(len(optional) + 1):
        for some in combinations(optional, count):
            yield Stepped(program, some)
