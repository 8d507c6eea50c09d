"""Room in clusters: boxes wide enough that no label lies on a border, and no arrow on a title.

An arrow enters a cluster in its middle and a title stands at its left, so half of the
cluster must be wider than the title; labels of arrows stand at the right of the spine.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from compiler.diagram.extent import extent
from compiler.diagram.picture import Cluster, Picture, Text

MARGIN = 11.0
"""Points between the border of a cluster and what is in it."""

_GAP = 9.0
_MOST = 190.0  # points; wider boxes would be worse than a label over a border
_ONE_LINE = 92.0  # points; a longer title takes two lines


def title_rows(text: Text) -> list[Text]:
    """The title of a cluster in as many lines as keep it narrow."""
    if (not text.words and not text.badge) or _width(text) <= _ONE_LINE:
        return [text]
    head, below = Text(text.name, badge=text.badge), Text("", text.words)
    if _width(head) > _ONE_LINE:
        head, below = Text(text.name), Text("", text.words, text.badge)
    rows = [head, below] if below.plain else [head]
    return [part for row in rows for part in _narrow(row)]


def _narrow(row: Text) -> list[Text]:
    """A row whose badge is long in several: how often it runs, and below in what the copies differ."""
    often, *differences = row.badge.split(" · ")
    if not differences or _width(row) <= _ONE_LINE:
        return [row]
    return [replace(row, badge=often), *(Text("", words) for words in differences)]


def box_widths(picture: Picture) -> dict[str, float]:
    """The least width, in points, of the boxes that stand on a spine, by their ids."""
    if picture.direction != "TB":
        return {}
    needed = _needed(picture)
    widths: dict[str, float] = {}
    for cluster in picture.clusters:  # outer ones come first
        boxes = [
            node.id
            for node in picture.nodes
            if node.cluster == cluster.id
            and node.spine
            and node.kind in ("layer", "block")
        ]
        width = min(needed[cluster.id], _MOST)
        if boxes:
            widths |= dict.fromkeys(boxes, width)
            continue
        for inner in picture.clusters:
            if inner.parent == cluster.id:
                needed[inner.id] = max(needed[inner.id], width - 2 * MARGIN)
    return widths


def _needed(picture: Picture) -> dict[str, float]:
    """The width of the boxes of each cluster that its title and labels ask for."""
    halves: dict[str, float] = defaultdict(float)
    for cluster in picture.clusters:
        if not cluster.plain:
            halves[cluster.id] = _title(cluster)
    places = {node.id: node.cluster for node in picture.nodes}
    for edge in picture.edges:
        if edge.spine and edge.label and places[edge.source]:
            place = places[edge.source]
            halves[place] = max(halves[place], extent(edge.label, 9) + 4)
    return defaultdict(
        float, {key: 2 * (half + _GAP - MARGIN) for key, half in halves.items()}
    )


def _title(cluster: Cluster) -> float:
    return max(map(_width, title_rows(cluster.text)))


def _width(text: Text) -> float:
    parts = [extent(text.name, 12.5), extent(text.words, 9), extent(text.badge, 12.5)]
    return sum(part + 7 for part in parts if part)
