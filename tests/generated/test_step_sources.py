"""Inputs that do not come in pieces beside those that do, of the same length or another."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from compiler import compile_spec
from compiler.diagnostics.diagnostic import SpecError
from tests.generated.stepped import LENGTH, Stepped

PIECES = ([1] * LENGTH, [LENGTH], [4, 1, 1, 3, 2])

_ADDED = "  y: {op: add, in: [x, c]}\n"
_IN_A_BLOCK = """\
  y: {op: Gate, in: [x, c]}
blocks:
  Gate:
    inputs: {x: "float[B, T, D]", c: "float[B, T, D]"}
    layers:
      l: {op: linear, out_features: D, in: c}
      o: {op: mul, in: [x, l]}
"""
_BESIDE = "  j: {op: concat, dim: -1, in: [x, c]}\n  y: {op: linear, out_features: 8}\n"
_VALUES = "  y: {op: attention, num_heads: 2, is_causal: true, in: [x, x, c]}\n"
_PLACES = """\
  p: {op: position_embedding, num_embeddings: 40, embedding_dim: 8, in: c}
  y: {op: add, in: [x, p]}
"""
_SCANNED = """\
  s: {op: Cell, scan: T, carry: {h: "zeros[B, 8]"}, in: {x: x, c: c}}
  y: {op: identity, in: s.o}
blocks:
  Cell:
    inputs: {x: "float[B, D]", c: "float[B, D]", h: "float[B, D]"}
    layers:
      a: {op: add, in: [x, c]}
      t: {op: add, in: [a, h]}
    outputs: {h: t, o: a}
"""
_CAUSAL = "  y: {op: attention, num_heads: 2, is_causal: true, in: [x, m, m]}\n"
_WINDOW = "  y: {op: attention, num_heads: 2, window: 3, in: [x, m, m]}\n"
_WITH_WEIGHTS = (
    "  y: {op: multihead_attention, num_heads: 2, is_causal: true, in: [x, m, m]}\n"
)


@pytest.mark.parametrize(
    ("layers", "path", "reason"),
    [
        (_ADDED, "Net.y", "does not come in pieces"),
        (_IN_A_BLOCK, "Gate.o", "does not come in pieces"),
        (_BESIDE, "Net.j", "does not come in pieces"),
        (_VALUES, "Net.y", "does not come in pieces"),
        (_PLACES, "Net.y", "does not come in pieces"),
        (_SCANNED, "Net.s", "does not come in pieces"),
        (_CAUSAL, "Net.y", "counts elements from the first"),
        (_WINDOW, "Net.y", "counts elements from the first"),
        (_WITH_WEIGHTS, "Net.y", "counts elements from the first"),
    ],
    ids=[
        "added",
        "in a block",
        "beside",
        "values",
        "places",
        "scanned",
        "causal",
        "window",
        "with weights",
    ],
)
def test_what_pairs_new_positions_with_all_of_a_source_is_refused(
    layers: str, path: str, reason: str, tmp_path: Path
) -> None:
    with pytest.raises(SpecError) as caught:
        assert compile_spec(_spec(layers, tmp_path)).python
    (found,) = caught.value.diagnostics
    assert (found.code, found.path) == ("no-code", path)
    assert reason in found.message


_SOURCE_WITH_PLACES = """\
  p: {op: position_embedding, num_embeddings: 40, embedding_dim: 8, in: c}
  s: {op: add, in: [c, p]}
  e: {op: attention, num_heads: 2, in: [s, s, s]}
  l: {op: linear, out_features: 8}
  q: {op: attention, num_heads: 2, is_causal: true, in: [x, x, x]}
  a: {op: attention, num_heads: 2, in: [q, l, l]}
  y: {op: add, in: [a, q]}
"""
_SHARED = """\
  es: {op: Embed, in: c}
  ex: {share: es, in: x}
  e: {op: Attend, causal: false, in: [es, es]}
  d: {op: Attend, causal: true, in: [ex, ex]}
  y: {op: Attend, causal: false, in: [d, e]}
blocks:
  Embed:
    inputs: {t: "float[B, L, D]"}
    layers:
      p: sinusoidal_encoding
      s: {op: add, in: [t, p]}
  Attend:
    params: {causal: bool}
    inputs: {x: "float[B, T, D]", m: "float[B, S, D]"}
    layers:
      q: {op: linear, out_features: D, in: x}
      k: {op: linear, out_features: D, in: m}
      a: {op: attention, num_heads: 2, is_causal: causal, in: [q, k, m]}
      o: {op: add, in: [x, a]}
"""


@pytest.mark.parametrize(
    "layers", [_SOURCE_WITH_PLACES, _SHARED], ids=["with places", "shared"]
)
@torch.no_grad()
def test_a_source_of_the_same_length_is_attended_to(
    layers: str, tmp_path: Path
) -> None:
    """Its value `l`, which is a variable of another name, is in the state by its own."""
    stepped = Stepped(compile_spec(_spec(layers, tmp_path)))
    stepped.inputs["c"] = torch.randn_like(stepped.inputs["x"])
    wanted = stepped.whole()
    for sizes in PIECES:
        found = stepped.pieces(sizes, stepped.begin(LENGTH))
        torch.testing.assert_close(found, wanted, rtol=0, atol=1e-10)


def _spec(layers: str, folder: Path) -> Path:
    file = folder / "net.yaml"
    file.write_text(
        "name: Net\nstep: {T: [x]}\noutputs: {y: y}\ndims: {T: {max: 40}}\n"
        'inputs: {x: "float[B, T, 8]", c: "float[B, T, 8]", m: "float[B, S, 8]"}\n'
        f"layers:\n{layers}",
        encoding="utf-8",
    )
    return file
