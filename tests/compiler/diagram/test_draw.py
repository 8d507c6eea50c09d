"""What is in a picture: boxes, clusters, arrows and their words."""

from pathlib import Path

import pytest

from compiler.diagnostics.diagnostic import RequestError
from compiler.diagram.options import DiagramOptions
from tests.compiler.diagram.specs import arrows, cluster, edge, node, picture

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
    drawn = picture(tmp_path, RESIDUAL)
    assert drawn.title.name == "Net"
    assert drawn.title.lines == ("A residual network.", "6,596 parameters")


def test_a_repeat_is_one_cluster_with_a_badge(tmp_path: Path) -> None:
    drawn = picture(tmp_path, RESIDUAL)
    body = cluster(drawn, "body")
    assert (body.text.words, body.text.badge) == ("Block", "× 3")
    assert node(drawn, "up").cluster == body.id


def test_a_sum_is_a_circle_and_the_way_past_the_layers_a_skip(tmp_path: Path) -> None:
    drawn = picture(tmp_path, RESIDUAL)
    assert node(drawn, "+").kind == "join"
    assert edge(drawn, "", "+").kind == "skip"
    assert edge(drawn, "down", "+").spine


def test_types_stand_where_they_change(tmp_path: Path) -> None:
    drawn = picture(tmp_path, RESIDUAL)
    assert node(drawn, "x").text.words == "float[B, 8]"
    assert edge(drawn, "stem", "").label == "[B, 16]"
    assert edge(drawn, "up", "relu").label == "[B, 64]"
    assert edge(drawn, "relu", "down").label == ""


def test_a_folded_block_says_its_size(tmp_path: Path) -> None:
    drawn = picture(tmp_path, RESIDUAL, DiagramOptions(depth=0))
    body = node(drawn, "body")
    assert body.kind == "block"
    assert (body.text.words, body.text.badge) == ("Block · 6.38 K", "× 3")
    assert arrows(drawn) >= {("stem", "body"), ("body", "head")}


def test_what_is_expanded_or_folded_is_the_users_word(tmp_path: Path) -> None:
    assert (
        picture(tmp_path, RESIDUAL, DiagramOptions(fold=frozenset({"Block"}))).clusters
        == ()
    )
    opened = DiagramOptions(depth=0, expand=frozenset({"body"}))
    assert [
        item.text.name for item in picture(tmp_path, RESIDUAL, opened).clusters
    ] == ["body"]


def test_a_block_alone_is_in_its_own_names(tmp_path: Path) -> None:
    drawn = picture(tmp_path, RESIDUAL, DiagramOptions(block="Block"))
    assert drawn.title.name == "Block"
    assert drawn.title.lines == ("Widens and narrows.",)
    assert node(drawn, "x").text.words == "float[B, D]"
    assert edge(drawn, "up", "relu").label == "[B, 4*D]"


def test_a_block_that_nothing_uses_is_drawn_from_what_it_says(tmp_path: Path) -> None:
    text = RESIDUAL.replace("op: Block, repeat: 3", "op: relu")
    drawn = picture(tmp_path, text, DiagramOptions(block="Block"))
    assert node(drawn, "up").text.words == "linear"
    assert edge(drawn, "up", "relu").label == ""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (DiagramOptions(block="Blok"), "there is no block Blok: did you mean `Block`?"),
        (DiagramOptions(network="gen"), "there is no network gen"),
    ],
)
def test_a_name_that_is_not_there_is_an_error(
    tmp_path: Path, options: DiagramOptions, message: str
) -> None:
    with pytest.raises(RequestError) as caught:
        picture(tmp_path, RESIDUAL, options)
    assert message in str(caught.value)


def test_copies_that_differ_say_in_what(tmp_path: Path) -> None:
    drawn = picture(
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
    assert cluster(drawn, "stage").text.badge == "× 3 · stride 2, then 1"
    assert node(drawn, "narrow").optional
    assert node(drawn, "narrow").text.words == "conv2d 1×1, 8 → 8 · in 2 of 3"
    assert node(drawn, "conv").text.words == "conv2d 1×1, 8 → 8, (stride 2)"


def test_a_layer_that_is_off_is_left_out(tmp_path: Path) -> None:
    drawn = picture(
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
    assert arrows(drawn) == {("x", "fc"), ("fc", "out"), ("out", "output")}


def test_weights_used_again_are_marked_and_tied_ones_joined(tmp_path: Path) -> None:
    drawn = picture(
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
    assert node(drawn, "again").text.words == "linear 8 → 8 · weights of fc"
    tie = edge(drawn, "table", "head")
    assert (tie.kind, tie.label) == ("tie", "tied")


def test_ports_have_names_and_parallel_arrows_are_one(tmp_path: Path) -> None:
    drawn = picture(
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
    drawn = picture(
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
    assert cluster(drawn, "rnn").text.badge == "along T, reversed"
    assert (
        node(drawn, "h").text.words == "from zeros" or node(drawn, "h").kind == "output"
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
    mlp = node(picture(tmp_path, text), "mlp")
    assert mlp.text.lines == ("linear 8 → 32", "relu", "linear 32 → 8")
    assert (mlp.text.words, mlp.text.badge) == ("552", "× 2, shared weights")
    assert [
        item.text.name
        for item in picture(
            tmp_path, text, DiagramOptions(expand=frozenset({"mlp"}))
        ).clusters
    ] == ["mlp"]


def test_networks_stand_side_by_side(tmp_path: Path) -> None:
    text = """
        name: Pair
        networks:
          one: {inputs: {x: "float[B, 8]"}, layers: {relu: relu}}
          two: {inputs: {y: "float[B, 8]"}, layers: {tanh: tanh}}
        """
    drawn = picture(tmp_path, text)
    assert [cluster.text.name for cluster in drawn.clusters] == ["one", "two"]
    alone = picture(tmp_path, text, DiagramOptions(network="two"))
    assert (alone.title.name, alone.clusters) == ("two", ())
    assert arrows(alone) == {("y", "tanh"), ("tanh", "output")}
