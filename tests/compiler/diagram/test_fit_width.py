"""Figures of a given width: all text can be read, or the message says what to fold."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from compiler.diagnostics.diagnostic import DiagramError, RequestError
from compiler.diagram.drawing import Drawing
from tests.compiler.diagram.overlaps import overlaps, smallest_font
from tests.compiler.diagram.specs import SPECS
from tests.programs import compiled

COLUMN, PAGE = 240.95, 680.4  # points of 85 mm and 240 mm
SAMPLE = ("cnn", "gpt2", "jamba", "llama3", "mobilenet_v2", "resnet50", "unet", "vgg16")


def _check(svg: str, width: float) -> None:
    root = ElementTree.fromstring(svg)
    across, down = (
        float(root.attrib[side].removesuffix("pt")) for side in ("width", "height")
    )
    assert across <= width + 1 and down <= PAGE + 1
    assert smallest_font(svg) >= 5.99
    assert overlaps(svg) == []


@pytest.mark.parametrize("spec", SAMPLE)
def test_a_figure_in_a_column_can_be_read(spec: str) -> None:
    _check(compiled(spec).diagram(width="85mm").svg, COLUMN)


@pytest.mark.deep
@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.stem)
@pytest.mark.parametrize(("width", "points"), [("85mm", COLUMN), ("174mm", 493.23)])
def test_any_figure_can_be_read_or_says_what_to_do(
    spec: Path, width: str, points: float
) -> None:
    try:
        svg = compiled(spec).diagram(width=width).svg
    except DiagramError as error:
        svg, message = "", str(error)
    if svg:
        _check(svg, points)
    else:
        assert "(--block)" in message


def test_more_levels_are_open_where_there_is_room() -> None:
    clusters = [
        len(compiled("gpt2").diagram(width=width).drawing.clusters)
        for width in ("70mm", "174mm")
    ]
    assert clusters[0] < clusters[1]


def test_norms_and_activations_are_in_the_boxes_of_what_they_follow() -> None:
    drawn = compiled("resnet50").diagram(width="85mm").drawing
    first = next(box for box in drawn.boxes if box.caption.name == "conv1")
    assert first.caption.lines == ("bn1 batch_norm2d", "relu")
    assert first.holds == (("", "bn1"), ("", "relu"))
    assert _paths(drawn) == _paths(compiled("resnet50").diagram(depth=0).drawing)


def _paths(drawing: Drawing) -> set[tuple[str, ...]]:
    return {path for box in drawing.boxes for path in (box.path, *box.holds)}


def test_what_cannot_be_read_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(DiagramError) as caught:
        compiled("clip").diagram(width="85mm")
    text = str(caught.value)
    assert text.startswith("at 85 mm, the smallest text would be ")
    assert (
        "draw one network (--network), or draw a block alone (--block), or give it"
        in text
    )
    with pytest.raises(DiagramError, match=r"fold .*--fold"):
        compiled("llama3").diagram(width="85mm", depth=3)


@pytest.mark.parametrize("text", ["85", "85 km", "mm", "1.2.3mm", "0mm", "1e9mm"])
def test_a_width_has_a_unit(text: str) -> None:
    with pytest.raises(RequestError, match="write 85mm"):
        compiled("cnn").diagram(width=text)
