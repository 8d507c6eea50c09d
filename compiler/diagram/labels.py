"""The HTML-like labels of Graphviz, with every text escaped."""

from __future__ import annotations

from dataclasses import replace
from html import escape

from compiler.diagram.box_sizing import title_rows
from compiler.diagram.drawing import Caption
from compiler.diagram.families import Theme
from compiler.diagram.wrapping import wrap

_LINE = 30  # characters beside one another in a box; more take a second line
_WORDS = 46  # characters of such a line
_TITLE = 56
_GAP = 8  # points between the title and what is drawn
_BROAD = "…→"  # Graphviz takes these for narrower than they are
_SHORT = 0.6  # of a space, by which it does


def title(text: Caption, theme: Theme) -> str:
    """The title of a picture, with its lines below."""
    rows = [f'<FONT POINT-SIZE="17"><B>{inert(text.name)}</B></FONT>']
    for line in text.lines:
        rows += [_small(part, theme.muted, 10) for part in _balanced(line)]
    return _table(rows, below=_GAP)


def _balanced(line: str) -> list[str]:
    """A line in as few rows as it needs, none much shorter than the others."""
    rows = wrap(line, _TITLE, 3)
    for width in range(_TITLE - 1, _TITLE // 2, -1):
        narrower = wrap(line, width, 3)
        if len(narrower) > len(rows) or " ".join(narrower) != " ".join(rows):
            break
        rows = narrower
    return rows


def label(text: Caption, theme: Theme, size: int) -> str:
    """The name in bold, the words beside it or below, the badge in its own colour."""
    below = list(text.lines)
    if len(text.name) + len(text.words) > _LINE:
        below = [*wrap(text.words, _WORDS, 2), *below]
        text = replace(text, words="")
    rows = [_row(text, theme, size)]
    if not below:
        return f"<{rows[0]}>"
    rows += [_small(line, theme.muted, 9) for line in below]
    return _table(rows, "CENTER")


def port(text: Caption, theme: Theme) -> str:
    """The name of a block's input inside of it."""
    words = f"  {_small(text.words, theme.muted, 9)}" if text.words else ""
    name = f"{_small(text.name, theme.ink, 10)}{words}"
    if not text.lines:
        return f"<{name}>"
    below = (_small(line, theme.muted, 9) for line in text.lines)
    return _table([name, *below], "CENTER")


def heading(text: Caption, theme: Theme) -> str:
    """The title of a cluster, on several lines where it is long."""
    rows = title_rows(text)
    if len(rows) == 1:
        return f"<{_row(rows[0], theme, 12)}>"
    return _table([_row(row, theme, 12) for row in rows])


def _row(text: Caption, theme: Theme, size: int) -> str:
    parts = []
    if text.name:
        parts.append(f'<FONT POINT-SIZE="{size}"><B>{inert(text.name)}</B></FONT>')
    if text.words:
        parts.append(_small(text.words, theme.muted, 9))
    if text.badge:
        font = f'POINT-SIZE="{size}" COLOR="{theme.badge}"'
        parts.append(f"<FONT {font}><B>{inert(text.badge)}</B></FONT>")
    return "  ".join(parts)


def _table(rows: list[str], align: str = "LEFT", below: int = 0) -> str:
    body = "".join(f'<TR><TD ALIGN="{align}">{row}</TD></TR>' for row in rows)
    if below:
        body += f'<TR><TD HEIGHT="{below}"></TD></TR>'
    attributes = 'BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0"'
    return f"<<TABLE {attributes}>{body}</TABLE>>"


def _small(text: str, color: str, size: int) -> str:
    return f'<FONT POINT-SIZE="{size}" COLOR="{color}">{inert(_filled(text))}</FONT>'


def _filled(text: str) -> str:
    """Text with spaces after it, so that it has all the room that it needs, and stands in its middle."""
    return text + " " * round(_SHORT * sum(map(text.count, _BROAD)))


def inert(text: str) -> str:
    r"""Text in which Graphviz finds neither tags nor entities nor names for parts of the graph (`\N`)."""
    return escape(text, quote=True).replace("\\", "&#92;&#92;")
