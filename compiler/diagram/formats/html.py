"""An HTML page: one file that loads nothing, with a diagram that folds beside the text of the spec."""

from __future__ import annotations

from compiler.diagram.picture import Picture


def render(picture: Picture) -> str:
    """The content of a .html file."""
    return picture.page
