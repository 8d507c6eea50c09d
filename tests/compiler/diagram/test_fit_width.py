"""Figures of a given width: all text can be read, or the message says what to fold."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from compiler.diagnostics.diagnostic import DiagramError, RequestError
from compiler.diagram.break_line import pieces
from compiler.diagram.drawing import Drawing
from tests.compiler.diagram.overlaps import overlaps, smallest_font
from tests.compiler.diagram.specs import SPECS
from tests.programs import compiled

COLUMN, PAGE_WIDTH, PAGE = 240.95, 493.23, 680.4  # points of 85, 174 and 240 mm
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


@pytest.mark.parametrize("spec", ["gpt2", "transformer"])
def test_from_left_to_right_a_figure_has_rows(spec: str) -> None:
    drawn = compiled(spec).diagram(direction="LR", width="174mm")
    _check(drawn.svg, PAGE_WIDTH)
    assert drawn.drawing.pieces > 1
    rows = pieces(drawn.drawing)
    assert set().union(*rows) == {box.id for box in drawn.drawing.boxes}


def test_a_long_line_is_broken_into_columns() -> None:
    drawn = compiled("googlenet").diagram(width="85mm")
    _check(drawn.svg, COLUMN)
    assert drawn.drawing.pieces == 2 and drawn.drawing.direction == "TB"


def test_a_wide_figure_is_broken_into_rows() -> None:
    drawn = compiled("bert").diagram(width="85mm")
    _check(drawn.svg, COLUMN)
    assert drawn.drawing.direction == "LR"
    assert _paths(drawn.drawing) == _paths(compiled("bert").diagram(depth=0).drawing)


def test_where_there_is_little_room_names_are_broken_too() -> None:
    drawn = compiled("tft").diagram(width="85mm")
    _check(drawn.svg, COLUMN)
    assert drawn.drawing.room == "tight"
    assert ">hidden_<" in drawn.svg and ">context<" in drawn.svg


def test_networks_that_fit_in_no_other_way_are_boxes() -> None:
    drawn = compiled("clip").diagram(width="85mm")
    _check(drawn.svg, COLUMN)
    boxes = {box.caption.name: box for box in drawn.drawing.boxes}
    assert boxes["text"].kind == "block" and boxes["text"].caption.detail == "63.4 M"
    assert _paths(drawn.drawing) >= _paths(compiled("clip").diagram(depth=0).drawing)
    met = [edge for edge in drawn.drawing.edges if edge.kind == "meet"]
    ids = [boxes[name].id for name in ("text_embeds", "image_embeds")]
    assert sorted(edge.source for edge in met) == sorted(ids)
    assert {edge.target for edge in met} == {boxes["similarity"].id}


FITTING = {("TB", "85mm"): 111, ("TB", "174mm"): 111, ("LR", "174mm"): 111}
"""How many architectures have a figure of a width."""


@pytest.mark.deep
@pytest.mark.parametrize(("direction", "width"), FITTING)
def test_figures_can_be_read_or_say_what_to_do(direction: str, width: str) -> None:
    figures = [_figure(spec, direction, width) for spec in SPECS]
    fitting = [svg for svg in figures if svg.startswith("<")]
    for svg in fitting:
        _check(svg, COLUMN if width == "85mm" else PAGE_WIDTH)
    assert len(fitting) >= FITTING[direction, width]
    assert all("(--block)" in text for text in figures if text not in fitting)


def _figure(spec: Path, direction: str, width: str) -> str:
    """A figure, or why there is none."""
    try:
        return compiled(spec).diagram(width=width, direction=direction).svg  # type: ignore[arg-type]
    except DiagramError as error:
        return str(error)


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
        compiled("clip").diagram(width="40mm")
    text = str(caught.value)
    assert text.startswith("at 40 mm, the smallest text would be ")
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
