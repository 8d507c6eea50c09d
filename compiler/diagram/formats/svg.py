"""SVG, with text in fonts that viewers have."""

from __future__ import annotations

from compiler.diagram.picture import Picture


def render(picture: Picture) -> bytes:
    """The content of a .svg file."""
    return picture.image("svg")
