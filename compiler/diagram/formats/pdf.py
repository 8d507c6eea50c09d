"""PDF, with its fonts embedded."""

from __future__ import annotations

from compiler.diagram.picture import Picture


def render(picture: Picture) -> bytes:
    """The content of a .pdf file."""
    return picture.image("pdf")
