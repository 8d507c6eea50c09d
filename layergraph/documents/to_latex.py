"""What a figure shows, as LaTeX."""

from __future__ import annotations

from layergraph.documents.figure import Figure
from layergraph.documents.shown import Shown

_TALLEST = 0.85  # of a page's text: a caption is below


def tikz_latex(shown: Shown, figure: Figure) -> str:
    r"""A picture, no wider than a line and no taller than a page; it needs `\usepackage{tikz}`."""
    widest = _length(figure.width)
    wide = rf"\setbox0\hbox{{\resizebox{{{widest}}}{{!}}{{\box0}}}}"
    fits = wide if figure.width else rf"\ifdim\wd0>{widest} {wide}\fi"
    tallest = f"{_TALLEST}\\textheight"
    return (
        f"{{\\setbox0\\hbox{{{shown.text}}}%\n{fits}%\n"
        rf"\ifdim\ht0>{tallest} \setbox0\hbox{{\resizebox{{!}}{{{tallest}}}{{\box0}}}}\fi"
        "%\n\\leavevmode\\box0}\n"
    )


def _length(width: str) -> str:
    """A length of CSS in LaTeX: a part of the line, or as it is."""
    if not width:
        return "\\linewidth"
    if width.endswith("%"):
        return f"{float(width[:-1]) / 100:g}\\linewidth"
    for unit, own in {"px": "bp", "rem": "em", "ch": "ex"}.items():
        if width.endswith(unit):
            return f"{width.removesuffix(unit)}{own}"
    return width
