"""A network of levels inside levels is drawn as a U; residual networks are not."""

import xml.etree.ElementTree as ElementTree

import pytest

from compiler.diagram.u_shape import u_shape
from tests.compiler.diagram.overlaps import overlaps
from tests.programs import compiled

SVG = "{http://www.w3.org/2000/svg}"


def _places(svg: str) -> dict[str, tuple[float, float]]:
    """Where the names of boxes stand: the first line of each."""
    found = {}
    for group in ElementTree.fromstring(svg).iter(f"{SVG}g"):
        if group.get("class", "").startswith("node"):
            for line in list(group.iter(f"{SVG}text"))[:1]:
                found[group.attrib["id"]] = (
                    float(line.attrib["x"]),
                    float(line.attrib["y"]),
                )
    return found


def test_a_unet_is_a_u() -> None:
    svg = compiled("unet").diagram().svg
    places = _places(svg)
    level = "UNet.body"
    heights = []
    for _ in range(4):
        encoded, decoded = places[f"{level}.encode"], places[f"{level}.decode"]
        assert encoded[0] < decoded[0]
        assert encoded[1] == pytest.approx(decoded[1], abs=2)
        heights.append(encoded[1])
        level += ".below.level"
    assert heights == sorted(heights)
    assert places[f"{level}.encode"][1] > heights[-1]
    assert places["UNet.logits.output"][1] < heights[0]
    assert overlaps(svg) == []


@pytest.mark.parametrize("direction", ["TB", "LR"])
def test_all_of_a_u_is_drawn(direction: str) -> None:
    drawn = compiled("unet").diagram(direction=direction, depth=99)  # type: ignore[arg-type]
    ids = {
        group.attrib["id"]
        for group in ElementTree.fromstring(drawn.svg).iter(f"{SVG}g")
        if group.get("class", "").startswith("edge")
    }
    assert len(ids) == len(drawn.drawing.edges)
    assert overlaps(drawn.svg) == []


@pytest.mark.parametrize(
    "spec", ["resnet50", "mobilenet_v3", "maxvit_t", "gpt2", "tft"]
)
def test_residual_networks_are_no_u(spec: str) -> None:
    for depth in (None, 99):
        assert u_shape(compiled(spec).diagram(depth=depth).drawing) is None
