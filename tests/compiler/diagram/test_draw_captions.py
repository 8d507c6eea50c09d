"""Where drawings show ties, types and stacks."""

from pathlib import Path

from compiler import Program
from compiler.diagram.drawing import Caption
from compiler.diagram.options import DiagramOptions
from tests.compiler.diagram.overlaps import overlaps
from tests.compiler.diagram.specs import box, drawing, edge, typed


def test_ties_off_the_main_path_are_notes(tmp_path: Path) -> None:
    drawn = drawing(
        tmp_path,
        """
        name: Net
        inputs: {ids: "int[B, T]"}
        layers:
          table: {op: embedding, num_embeddings: 10, embedding_dim: 8}
          place: {op: embedding, num_embeddings: 10, embedding_dim: 8, in: ids}
          moved: tanh
          sum: {op: add, in: [table, moved]}
          head: {op: linear, out_features: 10, bias: false, tie: {weight: table.weight}}
        """,
    )
    assert box(drawn, "head").caption.detail == "linear 8 → 10 · tied to table"
    assert "tie" not in [edge.kind for edge in drawn.edges]


def test_types_of_side_inputs_are_at_the_entry_points_of_a_block(
    tmp_path: Path,
) -> None:
    drawn = drawing(
        tmp_path,
        """
        name: Net
        inputs: {x: "float[B, T, 8]", keep: "bool[B, T]"}
        layers:
          mask: {op: rearrange, pattern: "b t -> b 1 1 t", in: keep}
          body: {op: Body, in: [x, mask]}
        blocks:
          Body:
            inputs: {x: "float[B, T, D]", mask: "bool[B, 1, 1, T]"}
            layers:
              norm: {op: layer_norm, in: x}
              attention: {op: multihead_attention, num_heads: 2, in: norm}
              flat: {op: rearrange, pattern: "b 1 1 t -> b t 1", in: mask}
              kept: {op: masked_fill, value: 0, in: [attention, flat]}
        """,
        DiagramOptions(depth=1),
    )
    point = next(item for item in drawn.boxes if item.caption.lines)
    assert (point.kind, point.caption) == (
        "port",
        Caption("mask", lines=("bool[B, 1, 1, T]",)),
    )
    (entering,) = [edge for edge in drawn.edges if edge.target == point.id]
    assert entering.label == ""


def test_a_stack_is_labelled_with_its_own_name(tmp_path: Path) -> None:
    drawn = drawing(
        tmp_path,
        """
        name: Net
        inputs: {x: "float[B, 8]"}
        layers:
          body: {op: Body, repeat: {count: 3, stack: {turns: hidden}}}
        outputs: {y: body.x, states: body.turns}
        blocks:
          Body:
            inputs: {x: "float[B, D]"}
            layers:
              fc: {op: linear, out_features: D}
              act: relu
            outputs: {x: act, hidden: fc}
        """,
        DiagramOptions(depth=1),
    )
    assert edge(drawn, "fc", "states").label == "turns"
    assert box(drawn, "states").caption.detail == "float[3, B, 8]"


LISTS = """
    name: Net
    inputs: {x: "float[B, T, 8]"}
    layers:
      layers: {op: linear, out_features: 8, repeat: {count: 6, collect: taps, at: [1, 3, 5]}}
      waves: {op: scale, factor: 2 ** i, repeat: {count: 3, chain: false, collect: waves}, in: x}
      joined: {op: concat, dim: -1, in: [layers.taps, waves.waves]}
      last: {op: add, in: [joined, joined]}
"""


def test_copies_side_by_side_are_a_stack_and_lists_are_bundles(tmp_path: Path) -> None:
    drawn = drawing(tmp_path, LISTS)
    assert box(drawn, "waves").stacked and not box(drawn, "layers").stacked
    assert box(drawn, "layers").caption.badge == "× 6 · taps of every 2nd"
    assert edge(drawn, "layers", "‖").is_list and not edge(drawn, "‖", "+").is_list


def test_a_stack_has_outlines_behind_it(tmp_path: Path) -> None:
    svg = Program(typed(tmp_path, LISTS)).diagram(key=True).svg
    for name in ("Net.waves.1", "Net.waves.2"):
        assert f'id="{name}"' in svg
    assert 'id="Net.layers.1"' not in svg
    assert overlaps(svg) == []
