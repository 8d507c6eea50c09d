"""What no layer reads of a block is neither computed nor returned."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler import Program, compile_spec
from runtime.verify import verify

_TWO = (
    "  Two:\n    inputs: {x: 'float[B, D]'}\n    layers:\n"
    "      a: {op: linear, out_features: D, in: x}\n"
    "      b: {op: linear, out_features: D, in: x}\n"
    "    outputs: {y: a, more: b}\n"
)


def _compiled(folder: Path, layers: str, end: str = "") -> Program:
    path = folder / "net.yaml"
    text = f"name: Net\ninputs: {{x: 'float[B, 4]'}}\nlayers:\n{layers}blocks:\n{_TWO}"
    path.write_text(text + end, encoding="utf-8")
    return compile_spec(path)


def test_an_output_that_nothing_reads(tmp_path: Path) -> None:
    program = _compiled(tmp_path, "  t: Two\n")
    assert (
        "        y: Tensor = self.a(x)  # [B, D]\n        return y\n" in program.python
    )
    assert "self.b(x)" not in program.python
    assert "self.b = nn.Linear(d, d)" in program.python, "weights stay"
    (warning,) = [one for one in program.check() if one.code == "unused-layer"]
    assert warning.message == "nothing uses the output of b"
    assert verify(program).problems == ()


@pytest.mark.parametrize(
    ("layers", "end"),
    [
        ("  t: Two\n  s: {op: add, in: [t.y, t.more]}\n", ""),
        ("  t: Two\noutputs: {o: t.more}\n", ""),
        ("  t: {op: Two, repeat: {count: 2, stack: {all: more}}}\n", ""),
        ("  t: Two\n", "expect: {t.more: 'float[B, 4]'}\n"),
        (
            "  t: {op: Calls, kind: Two}\n",
            "  Calls: {params: {kind: op}, inputs: {x: 'float[B, D]'}, layers: {c: {op: $kind, in: x}}}\n",
        ),
    ],
    ids=["a layer", "an output", "a stack", "an expectation", "a param"],
)
def test_outputs_that_something_reads(layers: str, end: str, tmp_path: Path) -> None:
    program = _compiled(tmp_path, layers, end)
    assert "self.b(x)" in program.python
    assert verify(program).problems == ()


def test_an_output_that_goes_to_the_next_copy(tmp_path: Path) -> None:
    end = (
        "  Pair:\n    inputs: {x: 'float[B, D]', h: 'float[B, D]'}\n    layers:\n"
        "      s: {op: add, in: [x, h]}\n      t: {op: tanh, in: s}\n"
        "    outputs: {x: s, h: t}\n"
    )
    program = _compiled(tmp_path, "  p: {op: Pair, repeat: 2, in: [x, x]}\n", end)
    assert "tanh" in program.python
    assert verify(program).problems == ()


def test_an_output_of_a_group(tmp_path: Path) -> None:
    group = "  g:\n    layers: {a: tanh, b: sigmoid}\n    outputs: {p: a, q: b}\n"
    program = _compiled(tmp_path, group)
    assert "sigmoid" not in program.python
    assert verify(program).problems == ()
