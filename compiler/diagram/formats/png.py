"""PNG, at 144 dots per inch."""

from __future__ import annotations

from compiler.diagram.picture import Picture


def render(picture: Picture) -> bytes:
    """The content of a .png file."""
    return picture.image("png")
