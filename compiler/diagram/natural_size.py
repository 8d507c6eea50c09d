"""How large a picture is before it is scaled to a page."""

from __future__ import annotations

import re
from dataclasses import replace

from compiler.diagram.dot import to_dot
from compiler.diagram.drawing import Drawing
from compiler.diagram.layout_engine import render_dot
from compiler.diagram.place_labels import labels_placed
from compiler.diagram.side_by_side import arranged

_SIZE = re.compile(rb'width="([\d.]+)pt" height="([\d.]+)pt"')


def natural_size(drawing: Drawing) -> tuple[float, float]:
    """Width and height of a picture that is not scaled, in points.

    Raises:
        LayoutTooLargeError: if it is too large to be laid out.
    """
    plain = replace(drawing, width=0.0)
    placed, layout = labels_placed(plain, arranged(plain, "wheel"))
    svg = render_dot(to_dot(placed, layout), "svg", laid_out=True)
    found = _SIZE.search(svg)
    assert found is not None
    return float(found[1]), float(found[2])
