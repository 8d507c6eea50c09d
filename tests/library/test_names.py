"""Names of the library keep out of the way of a spec's own."""

from __future__ import annotations

from pathlib import Path

from compiler import Program, compile_spec

SPEC = """
name: Toy
inputs:
  x: float[B, T, 8]
layers:
  rotary: {op: rotary_embedding, dim: 4}
  layers: {op: RotaryEmbedding, repeat: 2, in: [x, rotary.cos, rotary.sin]}
outputs: {y: layers.x, last: layers.rotate}
blocks:
  RotaryEmbedding:
    inputs: {x: "float[B, T, D]", cos: "float[T, R]", sin: "float[T, R]"}
    layers:
      rotate: {op: rotate, num_heads: 2, in: [x, cos, sin]}
      sum: {op: add, in: [x, rotate]}
    outputs: {x: sum, rotate: rotate}
"""


def code(tmp_path: Path) -> str:
    file = tmp_path / "toy.yaml"
    file.write_text(SPEC)
    program: Program = compile_spec(file)
    return program.python


def test_a_block_named_as_a_class_of_the_library_is_renamed(tmp_path: Path) -> None:
    source = code(tmp_path)
    assert source.count("class RotaryEmbedding(nn.Module)") == 1
    assert "class RotaryEmbedding2(nn.Module)" in source


def test_a_layer_named_as_a_function_of_the_library_is_renamed(tmp_path: Path) -> None:
    assert "rotate_ = rotate(x, cos, sin)" in code(tmp_path)


def test_what_copies_do_not_feed_has_a_name(tmp_path: Path) -> None:
    source = code(tmp_path)
    assert "x_2, rotate_ = block(x_2, rotary_cos, rotary_sin)" in source
    assert "return x_2, rotate_" in source
