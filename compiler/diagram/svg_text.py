"""Text of an SVG file in fonts that viewers have, in the widths that it was laid out for."""

from __future__ import annotations

import html
import re

from compiler.diagram.text_metrics import has_widths, text_width

# Viewers take the first that they have; all but the last are as wide as Helvetica, which Graphviz measures with.
_FONTS = "Helvetica,Arial,Liberation Sans,Nimbus Sans,DejaVu Sans Condensed,sans-serif"
_TEXT = re.compile(r"<text (?P<attributes>[^>]*)>(?P<text>[^<]*)</text>")
_FAMILY = re.compile(r' font-family="[^"]*"')
_SIZE = re.compile(r'font-size="([\d.]+)"')


def with_portable_text(svg: str) -> str:
    """The text of an SVG file that Graphviz wrote, in fonts and lengths for all viewers.

    Graphviz names the font `Helvetica,sans-Serif`, for which many viewers take one that is an eighth wider: names
    would run into each other, and words leave their boxes.
    """
    return _TEXT.sub(
        _portable, svg.replace("<svg ", f'<svg font-family="{_FONTS}" ', 1)
    )


def _portable(match: re.Match[str]) -> str:
    attributes, written = match["attributes"], match["text"]
    attributes = _FAMILY.sub("", attributes)
    text, size = html.unescape(written), _SIZE.search(attributes)
    if size is not None and text.strip() and has_widths(text):
        bold = 'font-weight="bold"' in attributes
        length = text_width(text, float(size[1]), bold=bold)
        attributes += f' textLength="{length:.2f}" lengthAdjust="spacingAndGlyphs"'
    return f"<text {attributes}>{written}</text>"
