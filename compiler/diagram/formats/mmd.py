"""A Mermaid flowchart, for Markdown."""

from __future__ import annotations

from compiler.diagram.mermaid import to_mermaid
from compiler.diagram.picture import Picture


def render(picture: Picture) -> str:
    """The content of a .mmd file."""
    return to_mermaid(picture.drawing)
