"""Which axes are columns, of all places so far, and which are rows, of the new ones."""

from __future__ import annotations

from pathlib import Path

from compiler.causality.find_columns import find_columns
from compiler.causality.prove import prove
from compiler.pipeline import compile_spec
from tests.programs import compiled

WRITTEN_OUT = """\
name: Net
inputs: {x: 'float[B, T, 8]', mask: 'bool[B, T]'}
layers:
  q: {op: linear, out_features: 8, in: x}
  k: {op: linear, out_features: 8, in: x}
  v: {op: linear, out_features: 8, in: x}
  turned: {op: transpose, dim0: 1, dim1: 2, in: k}
  scores: {op: matmul, in: [q, turned]}
  causal: {op: causal_mask, in: x}
  keys: {op: unsqueeze, dim: 1, in: mask}
  both: {op: logical_and, in: [causal, keys]}
  masked: {op: where, value: -.inf, in: [both, scores]}
  weights: {op: softmax, dim: -1, in: masked}
  out: {op: matmul, in: [weights, v]}
"""


def columns(spec: str) -> dict[str, dict[str, list[int]]]:
    """Of each block, the axes of its inputs and layers that are columns."""
    found = find_columns(prove(compiled(spec).typed))
    return {
        scope.instance.scope.name: {
            name: sorted(axes) for (name, _), axes in one.items() if axes
        }
        for scope, one in found.items()
        if any(one.values())
    }


def test_attention_written_out(tmp_path: Path) -> None:
    file = tmp_path / "net.yaml"
    file.write_text(WRITTEN_OUT, encoding="utf-8")
    (found,) = find_columns(prove(compile_spec(file).typed)).values()
    assert {name: sorted(axes) for (name, _), axes in found.items() if axes} == {
        "weights": [2],
        "masked": [2],
        "both": [2],
        "causal": [1],
        "keys": [2],
        "scores": [2],
        "turned": [2],  # the keys, to be kept
        "v": [1],  # and the values
    }


def test_attention_keeps_keys_by_itself() -> None:
    assert columns("gpt2") == {}


def test_masks_and_biases_through_blocks() -> None:
    found = columns("t5_small")
    assert found["SelfAttention"] == {"mask": [1], "bias": [3]}
    decoder = found["Decoder"]
    assert decoder["bias"] == decoder["position_bias"] == [3]
    assert decoder["causal"] == [1]
    assert decoder["mask"] == [1]


def test_mask_of_keys_is_a_column() -> None:
    assert columns("mistral")["Mistral"] == {"mask": [1]}
