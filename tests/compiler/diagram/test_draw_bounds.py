"""Pictures of what is wrong, or too large to be shown whole."""

from pathlib import Path

from compiler.diagram.options import DiagramOptions
from tests.compiler.diagram.specs import arrows, cluster, edge, node, picture


def test_faults_are_marked_and_the_rest_is_drawn(tmp_path: Path) -> None:
    drawn = picture(
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
    (sum,) = [item for item in drawn.nodes if item.fault]
    assert sum.text.name == "+"
    assert cluster(drawn, "bad").id == sum.cluster  # the one that fails is opened
    assert edge(drawn, "fc", "+").fault
    assert edge(drawn, "fc", "+").label == "[B, 9]"
    assert node(drawn, "good").kind == "block"
    assert edge(drawn, "after", "output").label == ""


def test_a_long_middle_is_left_out_and_counted(tmp_path: Path) -> None:
    layers = "".join(f"\n          l{place}: relu" for place in range(2000))
    drawn = picture(
        tmp_path,
        f"""
        name: Net
        inputs: {{x: "float[B, 8]"}}
        layers:{layers}
        """,
    )
    assert node(drawn, "… 1,968 more layers").kind == "elided"
    assert arrows(drawn) >= {
        ("l15", "… 1,968 more layers"),
        ("… 1,968 more layers", "l1984"),
    }
    assert len(drawn.nodes) == 35


def test_recursion_is_opened_level_by_level_and_bounded(tmp_path: Path) -> None:
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
    drawn = picture(tmp_path, text)
    assert [item.text.name for item in drawn.clusters[:3]] == ["top", "left", "left"]
    assert len(drawn.nodes) < 60
    assert len(picture(tmp_path, text, DiagramOptions(depth=100)).nodes) < 1000
