"""From left to right, a long line is in rows."""

import pytest

from compiler.diagram.break_line import pieces
from compiler.diagram.geometry import Curve
from compiler.diagram.natural_size import natural_size
from compiler.diagram.side_by_side import arranged
from tests.compiler.diagram.overlaps import overlaps
from tests.programs import compiled


@pytest.mark.parametrize("spec", ["gpt2", "resnet50", "wavenet"])
def test_a_strip_is_broken_into_rows(spec: str) -> None:
    drawn = compiled(spec).diagram(direction="LR")
    wide, high = natural_size(drawn.drawing)
    assert drawn.drawing.pieces > 1 and wide < 5 * high
    assert overlaps(drawn.svg) == []


@pytest.mark.parametrize("spec", ["cyclegan", "transformer", "unet"])
def test_what_has_parts_or_is_mostly_one_block_is_not(spec: str) -> None:
    assert compiled(spec).diagram(direction="LR").drawing.pieces == 1


def test_an_arrow_to_another_row_enters_no_box_from_the_right() -> None:
    drawing = compiled("wavenet").diagram(direction="LR").drawing
    layout = arranged(drawing, "wheel")
    rows = {name: at for at, row in enumerate(pieces(drawing)) for name in row}
    across = [edge for edge in drawing.edges if rows[edge.source] != rows[edge.target]]
    assert across
    for edge in across:
        (place,) = layout.edges[edge.source, edge.target]
        assert Curve.of(place["pos"]).points[-1][0] < layout.box(edge.target).right - 1
