"""Drawings of graphs with errors, and of graphs too large to show whole."""

from pathlib import Path

from compiler.diagram.options import DiagramOptions
from tests.compiler.diagram.specs import box, cluster, drawing, edge, edges


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
