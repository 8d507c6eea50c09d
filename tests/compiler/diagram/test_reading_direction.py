"""Arrows lead in the reading direction, but for states, in the right arm of a U and from column to column."""

from pathlib import Path

import pytest

from compiler.diagram.geometry import Curve
from compiler.diagram.side_by_side import arranged
from compiler.diagram.two_columns import two_columns
from compiler.diagram.u_shape import u_shape
from tests.compiler.diagram.specs import SPECS
from tests.programs import chosen, compiled

FORMER = ("dpt", "gat", "mixtral", "qwen3_moe")
"""Of which Graphviz led arrows back."""


def _leading_back(spec: str | Path) -> list[tuple[str, ...]]:
    drawing = compiled(spec).diagram().drawing
    layout, shape = arranged(drawing, "wheel"), u_shape(drawing)
    pair = two_columns(drawing)
    paths = {box.id: ".".join(box.path) for box in drawing.boxes}
    found = []
    for edge in drawing.edges:
        if (shape and shape.is_up(edge)) or (pair and pair.is_across(edge)):
            continue
        if edge.kind in ("flow", "skip"):
            for place in layout.edges[edge.source, edge.target]:
                points = Curve.of(place["pos"]).points
                if points[-1][1] > points[0][1] + 1:
                    found.append((paths[edge.source], paths[edge.target]))
    return found


@pytest.mark.parametrize("spec", FORMER)
def test_no_arrow_leads_up(spec: str) -> None:
    assert _leading_back(spec) == []


@pytest.mark.deep
@pytest.mark.parametrize("spec", chosen(SPECS), ids=lambda spec: spec.stem)
def test_no_arrow_leads_up_in_any_architecture(spec: Path) -> None:
    assert _leading_back(spec) == []
