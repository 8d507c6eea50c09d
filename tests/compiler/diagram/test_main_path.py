"""The main path: the path through a network that is drawn straight."""

from pathlib import Path

from compiler.diagram.options import DiagramOptions
from tests.compiler.diagram.specs import box, drawing, edge


def test_the_main_path_continues_in_an_expanded_block(tmp_path: Path) -> None:
    drawn = drawing(
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
    assert edge(drawn, "up", "relu").on_main_path
    assert not edge(drawn, "fc", "side_1").on_main_path
    assert edge(drawn, "relu", "×").on_main_path
    paths = {box(drawn, name).main_path for name in ("fc", "up", "+")}
    assert len(paths) == 1
    assert "" not in paths
    assert not box(drawn, "scale").main_path


def test_the_first_output_of_a_scan_is_no_state(tmp_path: Path) -> None:
    drawn = drawing(
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
    assert edge(drawn, "read", "after").on_main_path


def test_the_main_path_starts_at_the_first_input(tmp_path: Path) -> None:
    drawn = drawing(
        tmp_path,
        """
        name: Net
        inputs: {noise: "float[B, 8]", label: "int[B]"}
        layers:
          wish: {op: embedding, num_embeddings: 10, embedding_dim: 8, in: label}
          both: {op: concat, dim: -1, in: [noise, wish]}
          head: {op: linear, out_features: 4}
        """,
    )
    assert edge(drawn, "noise", "‖").on_main_path
    assert not edge(drawn, "label", "wish").on_main_path


def test_a_condition_of_a_block_is_beside_its_main_path(tmp_path: Path) -> None:
    drawn = drawing(
        tmp_path,
        """
        name: Net
        inputs: {x: "float[B, 8]", time: "float[B, 8]"}
        layers:
          body: {op: Body, in: [x, time]}
        blocks:
          Body:
            inputs: {x: "float[B, D]", time: "float[B, D]"}
            layers:
              norm: {op: layer_norm, in: x}
              fc: {op: linear, out_features: D, in: time}
              shift: tanh
              moved: {op: add, in: [norm, shift]}
              out: {op: add, in: [x, moved]}
        """,
        DiagramOptions(depth=1),
    )
    assert box(drawn, "norm").main_path and not box(drawn, "shift").main_path
