"""The spine: the way through a network that is drawn straight."""

from pathlib import Path

from compiler.diagram.options import DiagramOptions
from tests.compiler.diagram.specs import edge, node, picture


def test_the_spine_goes_on_where_that_of_an_opened_block_begins(tmp_path: Path) -> None:
    drawn = picture(
        tmp_path,
        """
        name: Net
        inputs: {x: "float[B, 8]"}
        layers:
          fc: {op: linear, out_features: 8}
          side_1: tanh
          side_2: tanh
          body: {op: Body, in: [fc, side_2]}
        blocks:
          Body:
            inputs: {x: "float[B, D]", side: "float[B, D]"}
            layers:
              up: {op: linear, out_features: D, in: x}
              relu: relu
              scale: {op: parameter, shape: D}
              by: {op: mul, in: [relu, scale]}
              sum: {op: add, in: [by, side]}
        """,
        DiagramOptions(depth=1),
    )
    assert edge(drawn, "up", "relu").spine
    assert not edge(drawn, "fc", "side_1").spine
    assert edge(drawn, "relu", "×").spine
    lines = {node(drawn, name).spine for name in ("fc", "up", "+")}
    assert len(lines) == 1
    assert "" not in lines
    assert not node(drawn, "scale").spine


def test_a_scan_gives_what_is_no_state_first(tmp_path: Path) -> None:
    drawn = picture(
        tmp_path,
        """
        name: Net
        inputs: {x: "float[B, T, 8]"}
        layers:
          rnn: {op: Cell, scan: T, carry: {h: "zeros[B, 8]"}}
          after: relu
        blocks:
          Cell:
            inputs: {x: "float[B, D]", h: "float[B, D]"}
            layers:
              state: {op: add, in: [x, h]}
              read: tanh
            outputs: {h: state, y: read}
        """,
        DiagramOptions(depth=1),
    )
    assert edge(drawn, "read", "after").spine
