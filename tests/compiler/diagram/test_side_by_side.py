"""Networks in one picture: each looks as it does alone."""

import xml.etree.ElementTree as ElementTree
from itertools import pairwise
from pathlib import Path

import pytest

from compiler import Program, compile_spec
from tests.compiler.diagram.specs import typed

SVG = "{http://www.w3.org/2000/svg}"
PAIR = Path("tests/compiler/diagram/arrows/networks_stretch_each_other.yaml")


def _heights(svg: str, names: str) -> list[float]:
    """How high the names of some layers stand."""
    root = ElementTree.fromstring(svg)
    found = {text.text: float(text.attrib["y"]) for text in root.iter(f"{SVG}text")}
    return [found[name] for name in names]


def _gaps(svg: str, names: str) -> list[float]:
    return [low - high for high, low in pairwise(_heights(svg, names))]


def test_networks_do_not_stretch_each_other() -> None:
    program = compile_spec(PAIR)
    together = _gaps(program.diagram().svg, "abcdefg")
    alone = _gaps(program.diagram(network="critic").svg, "abcdefg")
    assert together == pytest.approx(alone, abs=0.2)


@pytest.mark.parametrize("direction", ["TB", "LR"])
def test_all_boxes_and_labels_are_in_the_picture(direction: str) -> None:
    program = compile_spec(PAIR)
    drawn = program.diagram(direction=direction, depth=9)  # type: ignore[arg-type]
    root = ElementTree.fromstring(drawn.svg)
    texts = [(text.text or "").strip() for text in root.iter(f"{SVG}text")]
    assert texts.count("relu") == 6 and texts.count("[B, 64]") == 2
    assert {"generator", "critic", "noise", "score", "Pair"} <= set(texts)


def test_unconnected_boxes_and_elided_networks_are_placed(tmp_path: Path) -> None:
    network = '{inputs: {x: "float[B]", y: "float[B]"}, layers: {a: relu}}'
    text = "name: N\nnetworks:\n" + "".join(
        f"  n{number}: {network}\n" for number in range(14)
    )
    drawn = Program(typed(tmp_path, text)).diagram()
    assert "… 2 more networks" in drawn.svg
    assert drawn.svg.count(">y<") == 12
