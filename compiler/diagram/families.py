"""Which families of ops a drawing has."""

from __future__ import annotations

from compiler.diagram.drawing import Drawing
from compiler.op.registry import family_colour


def families_in(drawing: Drawing) -> list[str]:
    """The families of ops with colours of their own that have boxes in a drawing, in order of their names."""
    found = {box.family for box in drawing.boxes if box.kind == "layer"}
    return sorted(name for name in found if family_colour(name) is not None)
