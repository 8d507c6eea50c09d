"""Mermaid: a drawing as text for Markdown."""

from pathlib import Path

from compiler.diagram.mermaid import to_mermaid
from tests.compiler.diagram.specs import drawing

NET = """
    name: Net
    description: 'Says "hi" & <b>#1;</b>'
    inputs: {x: "float[B, 8]"}
    layers:
      mlp: {op: MLP, repeat: 2}
      sum: {op: add, in: [x, mlp]}
    blocks:
      MLP:
        inputs: {x: "float[B, D]"}
        layers:
          fc_1: {op: linear, out_features: 16}
          fc_2: {op: linear, out_features: D}
"""


def test_a_drawing_as_a_flowchart(tmp_path: Path) -> None:
    lines = to_mermaid(drawing(tmp_path, NET)).splitlines()
    assert lines[3] == "flowchart TB"
    assert '  n0(["<b>x</b> float[B, 8]"])' in lines
    assert '  subgraph c0 ["<b>mlp</b> MLP × 2"]' in lines
    assert '    n1("<b>fc_1</b> linear 8 → 16")' in lines
    assert '  n3(("<b>+</b>"))' in lines
    assert '  n1 -->|"[B, 16]"| n2' in lines
    assert "  class n1,n2 linear" in lines


def test_text_is_escaped(tmp_path: Path) -> None:
    text = to_mermaid(drawing(tmp_path, NET))
    assert text.splitlines()[1] == (
        'title: "Net · Says \\"hi\\" \\u0026 \\u003cb\\u003e#1;\\u003c/b\\u003e · 560 parameters"'
    )
    assert "<script" not in to_mermaid(
        drawing(tmp_path, NET.replace("<b>", "<script>"))
    )
