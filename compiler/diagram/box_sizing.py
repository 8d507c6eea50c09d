"""Minimum widths of boxes, so that no label crosses a border and no arrow crosses a title.

The main path enters a cluster in its middle, and the title stands at its left: half of the
cluster must be wider than the title. Labels of the main path's edges stand at its right.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace

from compiler.diagram.drawing import Box, BoxKind, Caption, Cluster, Drawing, Room
from compiler.diagram.ranking import boxes_alike
from compiler.diagram.text_metrics import text_width
from compiler.diagram.wrapping import (
    edge_label_width,
    wrap,
    wrap_edge_label,
    wrap_tightly,
)

MARGIN = 11.0
"""Points between the border of a cluster and its contents."""

_GAP = 9.0
_BOX_MARGIN = 10.0  # points between the border of a box and its text
_BOX_HEIGHT, _ROW = 22.0, 11.0  # points of a box with one row, and of each further one
_BETWEEN = 6.2  # points between the name of a box and its details
_MAX_WIDTH = 280.0  # points; a wider box would look worse than a label over a border
_LINES: Mapping[Room, tuple[int, int]] = {
    "ample": (30, 46),
    "narrow": (16, 24),
    "tight": (0, 17),
}
"""Characters of a name with its details, more of which take a second line; and of a line of details."""
_NAME_LINE = 13  # characters of a line of a name, where there is little room
_FACT_LINE = 30  # characters of what differs between copies
_WIDE_ROW = 3  # boxes beside each other, which are wider than any title
_ONE_LINE = 92.0  # points; a longer title takes two lines


def title_rows(caption: Caption) -> list[Caption]:
    """The title of a cluster in one row, or in several if it is wide."""
    if (not caption.detail and not caption.badge) or _width(caption) <= _ONE_LINE:
        return [caption]
    count, *differences = caption.badge.split(" · ")
    if _width(Caption("", badge=count)) > _ONE_LINE:
        count, *how = count.split(", ", 1)
        differences = [*how, *differences]
    head, below = Caption(caption.name, badge=count), [Caption("", caption.detail)]
    if _width(head) > _ONE_LINE:
        head, below = Caption(caption.name), [Caption("", caption.detail, count)]
        if caption.detail and _width(below[0]) > _ONE_LINE:
            below = [Caption("", badge=count), Caption("", caption.detail)]
    facts = (part for text in differences for part in wrap(text, _FACT_LINE, 3))
    rows = [head, *below, *(Caption("", fact) for fact in facts)]
    return [row for row in rows if row.one_line]


def box_rows(caption: Caption, room: Room = "ample") -> list[Caption]:
    """The rows of a box: its name, with its details if they are short; then the rest, each as a detail.

    How the copies of a repeat differ is below how many there are.

    Args:
        room: how soon text is broken into rows. Where it is tight, so is the name, and the count has a row of its own.
    """
    first, line = _LINES[room]
    count, *differences = caption.badge.split(" · ")
    below = [*caption.lines, *differences]
    if room == "tight":
        head = Caption(caption.name, badge=count)
        below = [caption.detail, *below] if caption.detail else below
        lines = (part for text in below for part in wrap_tightly(text, line))
        return [*_name_rows(head), *(Caption("", line) for line in lines)]
    head = Caption(caption.name, caption.detail, count)
    if len(caption.name) + len(caption.detail) > first:
        head = Caption(caption.name, badge=count)
        below = [*wrap(caption.detail, line, 3), *below]
    lines = (part for text in below for part in wrap(text, line, 3))
    return [head, *(Caption("", line) for line in lines)]


def _name_rows(head: Caption) -> list[Caption]:
    """A name in short lines, and the count after or below it."""
    *rows, last = (Caption(line) for line in wrap_tightly(head.name, _NAME_LINE))
    counted = replace(last, badge=head.badge)
    if len(counted.one_line) <= _NAME_LINE:
        return [*rows, counted]
    counts = wrap_tightly(head.badge, _NAME_LINE)
    return [*rows, last, *(Caption("", badge=count) for count in counts)]


def box_widths(drawing: Drawing) -> dict[str, float]:
    """The minimum width of each box that has one, by id, in points: of those on a main path, and of boxes alike.

    Three boxes beside each other, such as those of query, key and value, make a frame wide enough for its title: these
    and the rows below them are no wider than their text.
    """
    rows = boxes_alike(drawing)
    alike = _widths_of_alike(rows, drawing.room)
    if drawing.direction != "TB":
        return alike
    needed = _needed_widths(drawing)
    widths: dict[str, float] = {}
    for cluster in drawing.clusters:  # outer clusters come first
        width = min(needed[cluster.id], _MAX_WIDTH)
        if boxes := _on_main_path(drawing, cluster, "layer", "block"):
            widths |= dict.fromkeys(boxes, width)
            continue
        inside = [inner for inner in drawing.clusters if inner.parent == cluster.id]
        for inner in inside:
            needed[inner.id] = max(needed[inner.id], width - 2 * MARGIN)
        if not inside:  # a sum alone is narrow: the input above it takes the width
            widths |= dict.fromkeys(_on_main_path(drawing, cluster, "port"), width)
    wide = {row[0].cluster for row in rows if len(row) >= _WIDE_ROW}
    for row in rows:
        if row[0].cluster not in wide:
            greatest = max(widths.get(box.id, alike[box.id]) for box in row)
            alike |= {box.id: max(greatest, alike[box.id]) for box in row}
    return widths | alike


def _widths_of_alike(rows: list[list[Box]], room: Room) -> dict[str, float]:
    """One width for boxes of the same op beside each other, such as those of query, key and value."""
    return {
        box.id: max(_box_width(box, room) for box in row) for row in rows for box in row
    }


def box_size(box: Box, room: Room) -> tuple[float, float]:
    """About the width and height of a box, in points."""
    rows = len(box_rows(box.caption, room))
    return _box_width(box, room), _BOX_HEIGHT + _ROW * (rows - 1)


def _box_width(box: Box, room: Room) -> float:
    """The width that the text of a box needs, in points."""
    return max(map(_row_width, box_rows(box.caption, room))) + 2 * _BOX_MARGIN


def _row_width(row: Caption) -> float:
    parts = [
        text_width(row.name, 11, bold=True),
        text_width(row.detail, 9),
        text_width(row.badge, 11, bold=True),
    ]
    shown = [part for part in parts if part]
    return sum(shown) + _BETWEEN * (len(shown) - 1)


def _on_main_path(drawing: Drawing, cluster: Cluster, *kinds: BoxKind) -> list[str]:
    return [
        box.id
        for box in drawing.boxes
        if box.cluster == cluster.id and box.main_path and box.kind in kinds
    ]


def _needed_widths(drawing: Drawing) -> dict[str, float]:
    """The width that each cluster's boxes need for its title and edge labels, in points."""
    halves: dict[str, float] = defaultdict(float)
    for cluster in drawing.clusters:
        if not cluster.is_network:
            halves[cluster.id] = max(map(_width, title_rows(cluster.caption)))
    clusters = {box.id: box.cluster for box in drawing.boxes}
    for edge in drawing.edges:
        if edge.on_main_path and edge.label and clusters[edge.source]:
            cluster_id = clusters[edge.source]
            label = edge_label_width(wrap_edge_label(edge.label)) + 7
            halves[cluster_id] = max(halves[cluster_id], label)
    return defaultdict(
        float, {key: 2 * (half + _GAP - MARGIN) for key, half in halves.items()}
    )


def _width(row: Caption) -> float:
    sizes = ((row.name, 12.5), (row.detail, 9.0), (row.badge, 12.5))
    return sum(_title_width(part, size) + 7 for part, size in sizes if part)


def _title_width(text: str, size: float) -> float:
    """The width of text in a title, with a margin for fonts whose narrow letters are wider than Helvetica's."""
    return max(text_width(text, size), size * len(text) / 2)
