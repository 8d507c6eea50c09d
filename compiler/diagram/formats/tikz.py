r"""TikZ for `\input` in a document of LaTeX that has `\usepackage{tikz}`."""

from __future__ import annotations

from compiler.diagram.picture import Picture
from compiler.diagram.tikz import to_tikz


def render(picture: Picture) -> str:
    """The content of a .tikz file."""
    return to_tikz(picture.drawing, picture.layout)
