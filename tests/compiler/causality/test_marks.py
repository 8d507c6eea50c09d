"""A picture marks the way of later positions from where they enter to the output."""

from __future__ import annotations

from pathlib import Path

from compiler.pipeline import compile_spec

SPEC = """\
name: Net
step: T
inputs: {x: 'float[B, T, 8]'}
layers:
  before: {op: linear, out_features: 8}
  block: {op: Block, repeat: 2}
  other: {op: relu, in: before}
  head: {op: add, in: [other, block]}
blocks:
  Block:
    inputs: {x: 'float[B, T, D]'}
    layers:
      attend: {op: attention, num_heads: 2, in: [x, x, x]}
      sum: {op: add, in: [x, attend]}
"""


def test_layers_and_edges_on_the_way_are_marked(tmp_path: Path) -> None:
    file = tmp_path / "net.yaml"
    file.write_text(SPEC, encoding="utf-8")
    drawing = compile_spec(file, strict=False).diagram(expand=["block"]).drawing
    names = {box.id: box.path[-1] for box in drawing.boxes if box.path}
    marked = {names[box.id] for box in drawing.boxes if box.error and box.path}
    assert marked == {"attend", "sum", "head"}
    red = {
        (names.get(edge.source), names.get(edge.target))
        for edge in drawing.edges
        if edge.has_error
    }
    assert {("attend", "sum"), ("sum", "head")} <= red
    assert ("other", "head") not in red
    assert ("before", "other") not in red
