"""A document of LaTeX with the picture on a page of its size: `pdflatex net.tex`."""

from __future__ import annotations

from compiler.diagram.picture import Picture
from compiler.diagram.tikz import picture_frame, to_tikz


def render(picture: Picture) -> str:
    """The content of a .tex file."""
    layout = picture.layout
    left, bottom, right, top = picture_frame(layout)
    size = f"paperwidth={right - left:.2f}bp, paperheight={top - bottom:.2f}bp"
    return rf"""\documentclass{{article}}
\usepackage{{tikz}}
\usepackage[{size}, margin=0bp]{{geometry}}
\pagestyle{{empty}}
\setlength{{\parindent}}{{0pt}}
\setlength{{\topskip}}{{0pt}}
\begin{{document}}
{to_tikz(picture.drawing, layout)}\end{{document}}
"""
