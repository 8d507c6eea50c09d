"""The parts of a drawing: boxes, clusters, edges and their captions."""

from pathlib import Path

import pytest

from compiler.diagnostics.diagnostic import RequestError
from compiler.diagram.options import DiagramOptions
from tests.compiler.diagram.specs import box, cluster, drawing, edge, edges

RESIDUAL = """
    name: Net
    description: A residual network.
    params: {width: 8}
    inputs: {x: "float[B, 8]"}
    layers:
      stem: {op: linear, out_features: 2 * width}
      body: {op: Block, repeat: 3}
      head: {op: linear, out_features: 4}
    blocks:
      Block:
        description: Widens and narrows.
        inputs: {x: "float[B, D]"}
        layers:
          up: {op: linear, out_features: 4 * D}
          relu: relu
          down: {op: linear, out_features: D}
          sum: {op: add, in: [x, down]}
"""


def test_a_network_has_a_title_with_its_size(tmp_path: Path) -> None:
    drawn = drawing(tmp_path, RESIDUAL)
    assert drawn.title.name == "Net"
    assert drawn.title.lines == ("A residual network.", "6,596 parameters")


def test_a_repeat_is_one_cluster_with_a_badge(tmp_path: Path) -> None:
    drawn = drawing(tmp_path, RESIDUAL)
    body = cluster(drawn, "body")
    assert (body.caption.detail, body.caption.badge) == ("Block", "× 3")
    assert box(drawn, "up").cluster == body.id


def test_a_sum_is_a_circle_and_a_residual_connection_skips(tmp_path: Path) -> None:
    drawn = drawing(tmp_path, RESIDUAL)
    assert box(drawn, "+").kind == "join"
    assert edge(drawn, "", "+").kind == "skip"
    assert edge(drawn, "down", "+").on_main_path


def test_types_are_shown_where_they_change(tmp_path: Path) -> None:
    drawn = drawing(tmp_path, RESIDUAL)
    assert box(drawn, "x").caption.detail == "float[B, 8]"
    assert edge(drawn, "stem", "").label == "[B, 16]"
    assert edge(drawn, "up", "relu").label == "[B, 64]"
    assert edge(drawn, "relu", "down").label == ""


def test_a_folded_block_shows_its_size(tmp_path: Path) -> None:
    drawn = drawing(tmp_path, RESIDUAL, DiagramOptions(depth=0))
    body = box(drawn, "body")
    assert body.kind == "block"
    assert (body.caption.detail, body.caption.badge) == ("Block · 6.38 K", "× 3")
    assert edges(drawn) >= {("stem", "body"), ("body", "head")}


def test_options_choose_what_is_expanded_or_folded(tmp_path: Path) -> None:
    assert (
        drawing(tmp_path, RESIDUAL, DiagramOptions(fold=frozenset({"Block"}))).clusters
        == ()
    )
    opened = DiagramOptions(depth=0, expand=frozenset({"body"}))
    assert [
        item.caption.name for item in drawing(tmp_path, RESIDUAL, opened).clusters
    ] == ["body"]


def test_a_block_alone_shows_sizes_in_its_own_names(tmp_path: Path) -> None:
    drawn = drawing(tmp_path, RESIDUAL, DiagramOptions(block="Block"))
    assert drawn.title.name == "Block"
    assert drawn.title.lines == ("Widens and narrows.",)
    assert box(drawn, "x").caption.detail == "float[B, D]"
    assert edge(drawn, "up", "relu").label == "[B, 4D]"


def test_an_unused_block_is_drawn_from_its_declarations(tmp_path: Path) -> None:
    text = RESIDUAL.replace("op: Block, repeat: 3", "op: relu")
    drawn = drawing(tmp_path, text, DiagramOptions(block="Block"))
    assert box(drawn, "up").caption.detail == "linear"
    assert edge(drawn, "up", "relu").label == ""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (DiagramOptions(block="Blok"), "there is no block Blok: did you mean `Block`?"),
        (DiagramOptions(network="gen"), "there is no network gen"),
    ],
)
def test_an_unknown_name_is_an_error(
    tmp_path: Path, options: DiagramOptions, message: str
) -> None:
    with pytest.raises(RequestError) as caught:
        drawing(tmp_path, RESIDUAL, options)
    assert message in str(caught.value)


def test_a_badge_shows_how_copies_differ(tmp_path: Path) -> None:
    drawn = drawing(
        tmp_path,
        """
        name: Net
        inputs: {x: "float[B, 8, H, W]"}
        layers:
          stage: {op: Down, stride: 2 if i == 0 else 1, repeat: 3}
        blocks:
          Down:
            params: {stride: int}
            inputs: {x: "float[B, C, H, W]"}
            layers:
              conv: {op: conv2d, out_channels: 8, kernel_size: 1, stride: stride}
              narrow: {op: conv2d, out_channels: C, kernel_size: 1, when: stride == 1}
        """,
    )
    assert cluster(drawn, "stage").caption.badge == "× 3 · stride 2, then 1"
    assert box(drawn, "narrow").optional
    assert (
        box(drawn, "narrow").caption.detail == "conv2d 1×1, 8 → 8 · in the last 2 of 3"
    )
    assert box(drawn, "conv").caption.detail == "1×1, 8 → 8, stride 2 in the first of 3"


def test_an_inactive_layer_is_not_drawn(tmp_path: Path) -> None:
    drawn = drawing(
        tmp_path,
        """
        name: Net
        params: {drop: false}
        inputs: {x: "float[B, 8]"}
        layers:
          fc: {op: linear, out_features: 8}
          drop: {op: dropout, p: 0.5, when: drop}
          out: relu
        """,
    )
    assert edges(drawn) == {("x", "fc"), ("fc", "out"), ("out", "output")}


def test_shared_weights_are_noted_and_tied_ones_joined(tmp_path: Path) -> None:
    drawn = drawing(
        tmp_path,
        """
        name: Net
        inputs: {ids: "int[B, T]"}
        layers:
          table: {op: embedding, num_embeddings: 10, embedding_dim: 8}
          fc: {op: linear, out_features: 8}
          again: {share: fc}
          head: {op: linear, out_features: 10, bias: false, tie: {weight: table.weight}}
        """,
    )
    assert box(drawn, "again").caption.detail == "linear 8 → 8 · weights of fc"
    tie = edge(drawn, "table", "head")
    assert (tie.kind, tie.label) == ("tie", "tied")


def test_ports_are_labelled_and_parallel_edges_merged(tmp_path: Path) -> None:
    drawn = drawing(
        tmp_path,
        """
        name: Net
        inputs: {x: "float[B, T, 8]"}
        layers:
          lstm: {op: lstm, hidden_size: 8}
          mha: {op: multihead_attention, num_heads: 2, in: [lstm, lstm, lstm]}
          last: {op: index, dim: 0, index: 0, in: lstm.hidden}
        outputs: {y: mha, h: last}
        """,
    )
    assert edge(drawn, "lstm", "mha").label == "query, key, value"
    assert edge(drawn, "lstm", "last").label == "hidden: [1, B, 8]"


def test_a_scan_shows_its_state(tmp_path: Path) -> None:
    drawn = drawing(
        tmp_path,
        """
        name: Net
        inputs: {x: "float[B, T, 8]"}
        layers:
          rnn: {op: Cell, scan: T, reverse: true, carry: {h: "zeros[B, 8]"}}
        blocks:
          Cell:
            inputs: {x: "float[B, D]", h: "float[B, D]"}
            layers:
              sum: {op: add, in: [x, h]}
              state: tanh
            outputs: {h: state, y: state}
        """,
    )
    assert cluster(drawn, "rnn").caption.badge == "along T, reversed"
    assert (
        box(drawn, "h").caption.detail == "from zeros"
        or box(drawn, "h").kind == "output"
    )
    assert [edge.kind for edge in drawn.edges].count("loop") == 1


def test_a_short_list_is_one_box(tmp_path: Path) -> None:
    text = """
        name: Net
        inputs: {x: "float[B, 8]"}
        layers:
          mlp:
            layers:
              - {op: linear, out_features: 32}
              - relu
              - {op: linear, out_features: 8}
            repeat: {count: 2, share: true}
        """
    mlp = box(drawing(tmp_path, text), "mlp")
    assert mlp.caption.lines == ("linear 8 → 32", "relu", "linear 32 → 8")
    assert (mlp.caption.detail, mlp.caption.badge) == ("552", "× 2, shared weights")
    assert [
        item.caption.name
        for item in drawing(
            tmp_path, text, DiagramOptions(expand=frozenset({"mlp"}))
        ).clusters
    ] == ["mlp"]


def test_networks_are_drawn_side_by_side(tmp_path: Path) -> None:
    text = """
        name: Pair
        networks:
          one: {inputs: {x: "float[B, 8]"}, layers: {relu: relu}}
          two: {inputs: {y: "float[B, 8]"}, layers: {tanh: tanh}}
        """
    drawn = drawing(tmp_path, text)
    assert [cluster.caption.name for cluster in drawn.clusters] == ["one", "two"]
    alone = drawing(tmp_path, text, DiagramOptions(network="two"))
    assert (alone.title.name, alone.clusters) == ("two", ())
    assert edges(alone) == {("y", "tanh"), ("tanh", "output")}


def test_what_passes_a_layer_by_says_in_how_many_copies(tmp_path: Path) -> None:
    text = Path("tests/compiler/diagram/arrows/identity_shortcut_missing.yaml")
    drawn = drawing(tmp_path, text.read_text(), DiagramOptions(depth=9))
    passing = edge(drawn, "", "+")
    assert (passing.label, passing.optional) == ("in the last 2 of 3", True)
    assert edge(drawn, "downsample", "+").optional is False  # its box says it


def test_alternatives_stand_side_by_side(tmp_path: Path) -> None:
    text = Path("tests/compiler/diagram/arrows/exclusive_whens_in_series.yaml")
    drawn = drawing(tmp_path, text.read_text(), DiagramOptions(depth=1))
    assert edges(drawn) >= {
        ("norm", "dense"),
        ("norm", "routed"),
        ("dense", "+"),
        ("routed", "+"),
    }
    assert ("dense", "routed") not in edges(drawn)
    assert box(drawn, "dense").caption.detail.startswith("Wide · in the first of 3")


def test_a_state_that_goes_to_the_next_copy_returns(tmp_path: Path) -> None:
    text = Path("tests/compiler/diagram/arrows/state_of_a_repeat_is_a_dead_end.yaml")
    drawn = drawing(tmp_path, text.read_text(), DiagramOptions(depth=9))
    paths = {item.id: ".".join(item.path[1:]) for item in drawn.boxes}
    assert {
        (paths[item.source], paths[item.target])
        for item in drawn.edges
        if item.kind == "loop"
    } == {
        ("layers.residual", "layers.x"),
        ("layers.total", "layers.skip"),
    }


def test_blocks_without_a_network_are_drawn_side_by_side(tmp_path: Path) -> None:
    blocks = "".join(
        f"  {name}: {{inputs: {{x: 'float[..., D]'}}, layers: {{{layer}: {op}}}}}\n"
        for name, layer, op in (("Up", "t", "tanh"), ("Down", "r", "relu"))
    )
    drawn = drawing(tmp_path, f"name: Net\nblocks:\n{blocks}")
    assert {one.caption.name for one in drawn.clusters} >= {"Up", "Down"}
    assert "parameters" not in str(drawn.title)


@pytest.mark.parametrize(
    ("name", "title", "boxes"),
    [
        ("Block", "Block", {"x", "up", "relu", "down", "+", "output"}),
        ("body", "body", {"x", "up", "relu", "down", "+", "output"}),
    ],
)
def test_a_block_is_drawn_by_its_name_or_by_that_of_a_layer(
    tmp_path: Path, name: str, title: str, boxes: set[str]
) -> None:
    drawn = drawing(tmp_path, RESIDUAL, DiagramOptions(block=name))
    assert drawn.title.name == title
    assert {item.caption.name for item in drawn.boxes} - {""} == boxes


def test_a_layer_of_an_op_is_no_block(tmp_path: Path) -> None:
    with pytest.raises(
        RequestError, match="up is a single layer and no block: draw Block"
    ):
        drawing(tmp_path, RESIDUAL, DiagramOptions(block="up"))


def test_an_optional_input_is_marked_and_what_takes_its_place_leads_on(
    tmp_path: Path,
) -> None:
    drawn = drawing(
        tmp_path,
        """
        name: Net
        inputs: {x: "float[B, T, 8]", label: "int[B]?"}
        layers:
          pooled: {op: mean, dim: 1, in: x}
          known: {op: embedding, num_embeddings: 5, embedding_dim: 8, in: label, when: given(label), else: pooled}
          fc: {op: linear, out_features: 2}
        """,
    )
    assert box(drawn, "label").caption.detail == "int[B]?"
    assert box(drawn, "x").caption.detail == "float[B, T, 8]"
    other = edge(drawn, "pooled", "fc")
    assert (other.label, other.optional) == ("[B, 8] · without label", True)
    assert not edge(drawn, "known", "fc").optional


@pytest.mark.parametrize(
    ("widths", "badge"),
    [
        ("[8, 8, 16, 32]", "× 4 · width 8, 8, 16, 32"),
        ("[8, 16, 32]", "× 3 · width 8, 16, 32"),
        ("[8, 8, 16, 16, 32]", "× 5 · width 8, then 16, then 32"),
    ],
)
def test_a_badge_says_which_copies_have_which_value(
    tmp_path: Path, widths: str, badge: str
) -> None:
    text = f"""
        name: Net
        params: {{widths: {widths}}}
        inputs: {{x: "float[B, 8]"}}
        layers:
          layers: {{op: Layer, width: "widths[i]", repeat: len(widths)}}
        blocks:
          Layer:
            params: {{width: int}}
            inputs: {{x: "float[B, D]"}}
            layers:
              fc: {{op: linear, out_features: width}}
              act: relu
        """
    assert cluster(drawing(tmp_path, text), "layers").caption.badge == badge


@pytest.mark.parametrize(
    ("at", "which"),
    [
        ("[3, 4]", "the last 2"),
        ("[1, 2]", "copies 2 and 3"),
        ("[0, 2, 3]", "copies 1, 3 and 4"),
        ("[1, 3]", "every 2nd"),
    ],
)
def test_a_badge_says_which_copies_a_list_is_of(
    tmp_path: Path, at: str, which: str
) -> None:
    text = f"""
        name: Net
        inputs: {{x: "float[B, 8]"}}
        layers:
          same: {{op: relu, repeat: {{count: 5, collect: maps, at: {at}}}}}
          sum: {{op: add, in: [same, same.maps.0]}}
        """
    assert box(drawing(tmp_path, text), "same").caption.badge.endswith(
        f"maps of {which}"
    )


def test_several_states_of_a_repeat_return_though_they_leave_it(tmp_path: Path) -> None:
    text = Path("tests/features/multi_state.yaml")
    drawn = drawing(tmp_path, text.read_text(), DiagramOptions(depth=9))
    paths = {item.id: ".".join(item.path[1:]) for item in drawn.boxes}
    loops = [item for item in drawn.edges if item.kind == "loop"]
    assert {(paths[one.source], paths[one.target]) for one in loops} == {
        ("pair.n", "pair.a"),
        ("pair.l", "pair.b"),
    }
