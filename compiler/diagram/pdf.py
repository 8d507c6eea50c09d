"""SVG -> PDF, with its fonts embedded."""

from __future__ import annotations

import io
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from compiler.diagnostics.diagnostic import DiagramError
from compiler.diagnostics.extras import needs_extra
from compiler.diagram.text_metrics import has_widths, text_width

_FONTS = {False: "DejaVuSans", True: "DejaVuSans-Bold"}


def svg_to_pdf(svg: bytes, title: str, subject: str) -> bytes:
    """Convert an SVG file that Graphviz wrote.

    Text is set in DejaVu Sans, condensed to the widths of Helvetica, for which the picture was laid out. The fonts are
    embedded as subsets: publishers refuse files without.

    Args:
        title: the title in the properties of the document.
        subject: what the document says of itself, in the same place.

    Raises:
        DiagramError: if the SVG cannot be converted.
    """
    # Imported here because it takes a third of a second, and only a PDF needs it.
    with needs_extra("pdf"):
        from reportlab.graphics import renderPDF
        from reportlab.graphics.shapes import STATE_DEFAULTS
        from reportlab.pdfgen.canvas import Canvas
        from svglib.svglib import svg2rlg

    drawing = svg2rlg(io.BytesIO(svg))
    if drawing is None:
        raise DiagramError("the SVG cannot be converted to PDF")
    _register_fonts()
    _set_fonts(drawing)
    target = io.BytesIO()
    # `invariant` omits the date and the random id, so that equal graphs give equal bytes.
    size = drawing.width, drawing.height
    canvas = Canvas(target, pagesize=size, invariant=1, initialFontName=_FONTS[False])
    canvas.setTitle(title)
    canvas.setSubject(subject)
    canvas.setAuthor("")
    canvas.setCreator("LayerGraph")
    # Any font that is set is listed in the file, this one too.
    STATE_DEFAULTS["fontName"] = _FONTS[False]
    renderPDF.draw(drawing, canvas, 0, 0)
    canvas.save()
    return target.getvalue()


def _register_fonts() -> None:
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    found = find_spec("matplotlib")  # not imported: only its files are needed
    if found is None or found.origin is None:
        raise DiagramError("the fonts of a PDF are missing: install layergraph[pdf]")
    folder = Path(found.origin).parent / "mpl-data/fonts/ttf"
    for name in _FONTS.values():
        if name not in pdfmetrics.getRegisteredFontNames():
            pdfmetrics.registerFont(TTFont(name, folder / f"{name}.ttf"))


def _set_fonts(group: Any) -> None:
    """Replace the texts in a group of shapes by texts in embedded fonts."""
    from reportlab.graphics.shapes import Group, String

    for at, shape in enumerate(group.contents):
        if isinstance(shape, String):
            group.contents[at] = _embedded(shape)
        elif isinstance(shape, Group):
            _set_fonts(shape)


def _embedded(text: Any) -> Any:
    """A text in an embedded font, condensed to its width in Helvetica."""
    from reportlab.graphics.shapes import Group, String
    from reportlab.pdfbase.pdfmetrics import stringWidth

    bold = "Bold" in text.fontName
    font = _FONTS[bold]
    width = stringWidth(text.text, font, text.fontSize)
    wanted = text_width(text.text, text.fontSize, bold=bold)
    across = wanted / width if width and has_widths(text.text) else 1.0
    shape = String(
        0,
        0,
        text.text,
        fontName=font,
        fontSize=text.fontSize,
        fillColor=text.fillColor,
        textAnchor=text.textAnchor,
    )
    return Group(shape, transform=(across, 0, 0, 1, text.x, text.y))
