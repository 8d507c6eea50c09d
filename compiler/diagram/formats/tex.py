"""A document of LaTeX with the picture on a page of its size: `pdflatex net.tex`."""

from __future__ import annotations

from compiler.diagram.picture import Picture
from compiler.diagram.tikz import picture_frame, picture_scale, to_tikz


def render(picture: Picture) -> str:
    """The content of a .tex file."""
    layout = picture.layout
    left, bottom, right, top = picture_frame(layout)
    scale = picture_scale(picture.drawing, layout)
    width, height = scale * (right - left), scale * (top - bottom)
    size = f"paperwidth={width:.2f}bp, paperheight={height:.2f}bp"
    return rf"""\documentclass{{article}}
\usepackage{{tikz}}
\usepackage[{size}, margin=0bp]{{geometry}}
\pagestyle{{empty}}
\setlength{{\parindent}}{{0pt}}
\setlength{{\topskip}}{{0pt}}
\begin{{document}}
{to_tikz(picture.drawing, layout)}\end{{document}}
"""
