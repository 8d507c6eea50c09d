"""DOT, for Graphviz."""

from __future__ import annotations

from compiler.diagram.dot import to_dot
from compiler.diagram.picture import Picture


def render(picture: Picture) -> str:
    """The content of a .dot file."""
    return to_dot(picture.drawing)
