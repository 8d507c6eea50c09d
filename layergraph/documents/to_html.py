"""What a figure shows, as HTML: all text from the spec is escaped."""

from __future__ import annotations

from functools import cache
from html import escape
from importlib.resources import files

from compiler.diagram.frame_html import frame_html
from layergraph.documents.embed_svg import embed_svg
from layergraph.documents.figure import Figure
from layergraph.documents.shown import Shown


def svg_html(shown: Shown, figure: Figure, prefix: str) -> str:
    """A picture, in the page itself, so that it follows the page's colours."""
    alt = figure.alt or shown.alt
    return embed_svg(shown.text, prefix, alt=alt, width=figure.width)


def page_html(shown: Shown, figure: Figure, url: str) -> str:
    """A page in a frame of its own, which follows the palette of the document.

    Args:
        url: where the page is.
    """
    frame = frame_html(figure.alt or shown.alt, url=url, width=figure.width)
    return f"{frame}<script>{_palette()}</script>"


@cache
def _palette() -> str:
    file = files("layergraph.documents").joinpath("frame_palette.js")
    return file.read_text("utf-8")


def table_html(shown: Shown) -> str:
    """A table."""
    head = "".join(f'<th scope="col">{escape(one)}</th>' for one in shown.columns)
    body = "".join(_row(row, is_named=not shown.columns) for row in shown.rows)
    top = f"<thead><tr>{head}</tr></thead>" if head else ""
    return f"<table>{top}<tbody>{body}</tbody></table>"


def _row(cells: tuple[str, ...], *, is_named: bool) -> str:
    first, *rest = map(escape, cells)
    name = f'<th scope="row">{first}</th>' if is_named else f"<td>{first}</td>"
    others = "".join(f"<td>{one}</td>" for one in rest)
    return f"<tr>{name}{others}</tr>"
