"""Drawings of graphs with errors, and of graphs too large to show whole."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import pytest

from compiler.diagram.dot import to_dot
from compiler.diagram.draw import draw
from compiler.diagram.mermaid import to_mermaid
from compiler.diagram.options import DiagramOptions
from tests.compiler.diagram.specs import box, cluster, drawing, edge, edges, typed


def test_errors_are_marked_and_the_rest_is_drawn(tmp_path: Path) -> None:
    drawn = drawing(
        tmp_path,
        """
        name: Net
        inputs: {x: "float[B, 8]"}
        layers:
          good: {op: Part, width: 8}
          bad: {op: Part, width: 9}
          after: relu
        blocks:
          Part:
            params: {width: int}
            inputs: {x: "float[B, D]"}
            layers:
              fc: {op: linear, out_features: width}
              sum: {op: add, in: [x, fc]}
        """,
    )
    (sum,) = [item for item in drawn.boxes if item.error]
    assert sum.caption.name == "+"
    assert (
        cluster(drawn, "bad").id == sum.cluster
    )  # the block with the error is expanded
    assert edge(drawn, "fc", "+").has_error
    assert edge(drawn, "fc", "+").label == "[B, 9]"
    assert box(drawn, "good").kind == "block"
    assert edge(drawn, "after", "output").label == ""


def test_the_middle_of_a_long_scope_is_elided_and_counted(tmp_path: Path) -> None:
    layers = "".join(f"\n          l{place}: relu" for place in range(2000))
    drawn = drawing(
        tmp_path,
        f"""
        name: Net
        inputs: {{x: "float[B, 8]"}}
        layers:{layers}
        """,
    )
    assert box(drawn, "… 1,968 more layers").kind == "elided"
    assert edges(drawn) >= {
        ("l15", "… 1,968 more layers"),
        ("… 1,968 more layers", "l1984"),
    }
    assert len(drawn.boxes) == 35


def test_recursion_is_expanded_level_by_level_and_bounded(tmp_path: Path) -> None:
    text = """
        name: Net
        inputs: {x: "float[B, 8]"}
        layers:
          top: {op: Tree, depth: 30}
        blocks:
          Tree:
            params: {depth: int}
            inputs: {x: "float[B, D]"}
            layers:
              fc: {op: linear, out_features: D}
              left: {op: Tree, depth: depth - 1, when: depth > 0}
              right: {op: Tree, depth: depth - 1, when: depth > 0, in: fc}
              sum: {op: add, in: [left, right]}
        """
    drawn = drawing(tmp_path, text)
    assert [item.caption.name for item in drawn.clusters[:3]] == ["top", "left", "left"]
    assert len(drawn.boxes) < 60
    assert len(drawing(tmp_path, text, DiagramOptions(depth=100)).boxes) < 1000


def _wide(n: int) -> str:
    inputs = ", ".join(f'x{k}: "float[B, 8]"' for k in range(n))
    names = ", ".join(f"x{k}" for k in range(n))
    return f"name: N\ninputs: {{{inputs}}}\nlayers:\n  a: {{op: add, in: [{names}]}}\n"


def _off(n: int) -> str:
    layers = "".join(
        f"  l{k}: {{op: linear, out_features: 8, when: 1 > 2}}\n" for k in range(n)
    )
    return f'name: N\ninputs: {{x: "float[B, 8]"}}\nlayers:\n{layers}'


def _flat(n: int) -> str:
    layers = "".join(f"  l{k}: relu\n" for k in range(n))
    return f'name: N\ninputs: {{x: "float[B, 8]"}}\nlayers:\n{layers}'


def _outputs(n: int) -> str:
    outputs = "".join(f"  o{k}: a\n" for k in range(n))
    text = 'name: N\ninputs: {x: "float[B, 8]"}\nlayers: {a: relu}\noutputs:\n'
    return text + outputs


def _networks(n: int) -> str:
    one = '{inputs: {x: "float[B, 8]"}, layers: {a: relu}}'
    return "name: N\nnetworks:\n" + "".join(f"  n{k}: {one}\n" for k in range(n))


def _copies(n: int) -> str:
    return f"""\
name: N
inputs: {{x: "float[B, 8]"}}
layers: {{b: {{op: Blk, w: 8 + i, even: i % 2 == 0, repeat: {n}}}}}
blocks:
  Blk:
    params: {{w: int, even: bool}}
    inputs: {{x: "float[B, D]"}}
    layers:
      up: {{op: linear, out_features: w}}
      act: {{op: relu, when: even}}
      down: {{op: linear, out_features: D}}
      sum: {{op: add, in: [x, down]}}
"""


def _passing(n: int) -> str:
    return f"""\
name: N
inputs: {{x: "float[B, 8]"}}
layers: {{b: {{op: Blk, w: 8 + i, on: i == 0, repeat: {n}}}, c: relu}}
blocks:
  Blk:
    params: {{w: int, on: bool}}
    inputs: {{x: "float[B, D]"}}
    layers:
      up: {{op: linear, out_features: w, when: on}}
      down: {{op: linear, out_features: D, when: on}}
"""


@pytest.mark.parametrize(
    "text", [_wide, _off, _flat, _outputs, _networks, _copies, _passing]
)
def test_the_work_grows_with_the_spec_and_no_faster(
    tmp_path: Path, text: Callable[[int], str]
) -> None:
    few, many = (_calls(tmp_path, text(n)) for n in (60, 240))
    assert many < 4.5 * few


def _calls(folder: Path, text: str) -> int:
    """How many functions are called to draw a spec and print it in both languages."""
    graph = typed(folder, text)
    count = 0

    def called(frame: FrameType, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(called)
    try:
        drawn = draw(graph)
        to_dot(drawn)
        to_mermaid(drawn)
    finally:
        sys.setprofile(None)
    return count


def test_a_dense_scope_is_elided_until_it_can_be_read(tmp_path: Path) -> None:
    layers = "".join(
        f"  l{k}: {{op: add, in: [x, {', '.join(f'l{j}' for j in range(k)) or 'x'}]}}\n"
        for k in range(60)
    )
    drawn = drawing(
        tmp_path, f'name: N\ninputs: {{x: "float[B, 8]"}}\nlayers:\n{layers}'
    )
    assert box(drawn, "… 50 more layers").kind == "elided"
    assert len(drawn.edges) < 80


def test_many_inputs_outputs_and_networks_are_counted(tmp_path: Path) -> None:
    assert box(drawing(tmp_path, _wide(200)), "… 168 more inputs")
    assert box(drawing(tmp_path, _outputs(300)), "… 268 more outputs")
    assert box(drawing(tmp_path, _networks(300)), "… 288 more networks")
    drawn = drawing(tmp_path, _off(300))
    assert edges(drawn) == {("x", "output")}


def test_many_ties_and_many_optional_layers_are_not_all_drawn(tmp_path: Path) -> None:
    tied = "".join(
        f"  l{k}: {{op: linear, out_features: 8, bias: false, tie: {{weight: e.weight}}}}\n"
        for k in range(30)
    )
    table = "  e: {op: embedding, num_embeddings: 8, embedding_dim: 8}\n"
    drawn = drawing(
        tmp_path, f'name: N\ninputs: {{x: "int[B, T]"}}\nlayers:\n{table}{tied}'
    )
    assert not [edge for edge in drawn.edges if edge.kind == "tie"]
    assert box(drawn, "l29").caption.detail.endswith("tied to e")

    layers = "".join(
        f"      l{k}: {{op: linear, out_features: D, when: k % {k + 2} == 0}}\n"
        for k in range(60)
    )
    drawn = drawing(
        tmp_path,
        'name: N\ninputs: {x: "float[B, 8]"}\n'
        "layers: {b: {op: Blk, k: i, repeat: 60}}\n"
        'blocks:\n  Blk:\n    params: {k: int}\n    inputs: {x: "float[B, D]"}\n'
        f"    layers:\n{layers}",
        DiagramOptions(depth=9),
    )
    assert box(drawn, "… 50 more layers").cluster == cluster(drawn, "b").id


def test_the_largest_part_of_a_picture_has_its_place(tmp_path: Path) -> None:
    drawn = drawing(tmp_path, _copies(3), DiagramOptions(depth=9))
    assert drawn.largest.startswith("b (") and "net.yaml:5:" in drawn.largest
