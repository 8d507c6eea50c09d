"""Captions as HTML-like labels of Graphviz, with all text escaped."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from compiler.diagram.box_sizing import box_rows, title_rows
from compiler.diagram.drawing import Caption, Room
from compiler.diagram.themes import Theme
from compiler.diagram.wrapping import wrap

_TITLE_LINES: Mapping[Room, int] = {"ample": 56, "narrow": 44, "tight": 56}
"""Characters of a line of the description. Where it is tight, the picture is wide enough for long ones."""
_TITLE_ROWS = 6  # of a description
_TITLE_GAP = 8  # points between the title and the drawing
_UNDERESTIMATED = "…→"  # Graphviz's font metrics take these for too narrow
_MISSING_WIDTH = 0.6  # of a space, for each of them


def drawing_title(caption: Caption, theme: Theme, room: Room = "ample") -> str:
    """The title of a drawing, with its lines below."""
    rows = [f'<FONT POINT-SIZE="17"><B>{escape_label(caption.name)}</B></FONT>']
    for line in caption.lines:
        rows += [
            _small(part, theme.muted, 10)
            for part in _balanced(line, _TITLE_LINES[room])
        ]
    return _table(rows, gap_below=_TITLE_GAP)


def _balanced(line: str, width: int) -> list[str]:
    """A line wrapped into as few rows as possible, of similar lengths."""
    rows = wrap(line, width, _TITLE_ROWS)
    for least in range(width - 1, width // 2, -1):
        narrower = wrap(line, least, _TITLE_ROWS)
        if len(narrower) > len(rows) or " ".join(narrower) != " ".join(rows):
            break
        rows = narrower
    return rows


def box_label(caption: Caption, theme: Theme, size: int, room: Room = "ample") -> str:
    """The label of a box: name in bold, details beside or below it, and the badge in its own colour.

    Args:
        size: the font size of the name in points.
        room: how soon text is broken into rows.
    """
    rows = [_row(row, theme, size) for row in box_rows(caption, room)]
    return f"<{rows[0]}>" if len(rows) == 1 else _table(rows, "CENTER")


def port_label(caption: Caption, theme: Theme) -> str:
    """The label of a block's input, inside the block."""
    detail = f"  {_small(caption.detail, theme.muted, 9)}" if caption.detail else ""
    name = f"{_small(caption.name, theme.ink, 10)}{detail}"
    if not caption.lines:
        return f"<{name}>"
    below = (_small(line, theme.muted, 9) for line in caption.lines)
    return _table([name, *below], "CENTER")


def cluster_label(caption: Caption, theme: Theme) -> str:
    """The title of a cluster, in several rows if it is long."""
    rows = title_rows(caption)
    if len(rows) == 1:
        return f"<{_row(rows[0], theme, 12)}>"
    return _table([_row(row, theme, 12) for row in rows])


def _row(caption: Caption, theme: Theme, size: int) -> str:
    parts = []
    if caption.name:
        name = escape_label(caption.name)
        parts.append(f'<FONT POINT-SIZE="{size}"><B>{name}</B></FONT>')
    if caption.detail:
        parts.append(_small(caption.detail, theme.muted, 9))
    if caption.badge:
        font = f'POINT-SIZE="{size}" COLOR="{theme.badge}"'
        parts.append(f"<FONT {font}><B>{escape_label(caption.badge)}</B></FONT>")
    return "  ".join(parts)


def _table(rows: list[str], align: str = "LEFT", gap_below: int = 0) -> str:
    body = "".join(f'<TR><TD ALIGN="{align}">{row}</TD></TR>' for row in rows)
    if gap_below:
        body += f'<TR><TD HEIGHT="{gap_below}"></TD></TR>'
    attributes = 'BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0"'
    return f"<<TABLE {attributes}>{body}</TABLE>>"


def _small(text: str, color: str, size: int) -> str:
    padded = escape_label(_padded(text))
    return f'<FONT POINT-SIZE="{size}" COLOR="{color}">{padded}</FONT>'


def _padded(text: str) -> str:
    """Text with trailing spaces for the width that Graphviz underestimates, so that it is centred."""
    return text + " " * round(_MISSING_WIDTH * sum(map(text.count, _UNDERESTIMATED)))


def escape_label(text: str) -> str:
    r"""Escape text for a label: no tags, no entities, and none of Graphviz's escapes such as `\N`."""
    return escape(text, quote=True).replace("\\", "&#92;&#92;")
