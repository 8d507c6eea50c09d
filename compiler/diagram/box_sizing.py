"""Room in clusters: boxes wide enough that no label lies on a border, and no arrow on a title.

An arrow enters a cluster in its middle and a title stands at its left, so half of the
cluster must be wider than the title; labels of arrows stand at the right of the spine.
"""

from __future__ import annotations

from collections import defaultdict

from compiler.diagram.drawing import Caption, Cluster, Drawing, NodeKind
from compiler.diagram.text_metrics import extent
from compiler.diagram.wrapping import note, note_width

MARGIN = 11.0
"""Points between the border of a cluster and what is in it."""

_GAP = 9.0
_MOST = 280.0  # points; wider boxes would be worse than a label over a border
_ONE_LINE = 92.0  # points; a longer title takes two lines


def title_rows(text: Caption) -> list[Caption]:
    """The title of a cluster in as many lines as keep it narrow."""
    if (not text.words and not text.badge) or _width(text) <= _ONE_LINE:
        return [text]
    often, *differences = text.badge.split(" · ")
    head, below = Caption(text.name, badge=often), [Caption("", text.words)]
    if _width(head) > _ONE_LINE:
        head, below = Caption(text.name), [Caption("", text.words, often)]
        if text.words and _width(below[0]) > _ONE_LINE:
            below = [Caption("", badge=often), Caption("", text.words)]
    rows = [head, *below, *(Caption("", words) for words in differences)]
    return [row for row in rows if row.plain]


def box_widths(picture: Drawing) -> dict[str, float]:
    """The least width, in points, of the boxes that stand on a spine, by their ids."""
    if picture.direction != "TB":
        return {}
    needed = _needed(picture)
    widths: dict[str, float] = {}
    for cluster in picture.clusters:  # outer ones come first
        width = min(needed[cluster.id], _MOST)
        if boxes := _on_spine(picture, cluster, "layer", "block"):
            widths |= dict.fromkeys(boxes, width)
            continue
        inside = [inner for inner in picture.clusters if inner.parent == cluster.id]
        for inner in inside:
            needed[inner.id] = max(needed[inner.id], width - 2 * MARGIN)
        if not inside:  # a sum alone is narrow: the input above it makes the room
            widths |= dict.fromkeys(_on_spine(picture, cluster, "port"), width)
    return widths


def _on_spine(picture: Drawing, cluster: Cluster, *kinds: NodeKind) -> list[str]:
    return [
        node.id
        for node in picture.nodes
        if node.cluster == cluster.id and node.spine and node.kind in kinds
    ]


def _needed(picture: Drawing) -> dict[str, float]:
    """The width of the boxes of each cluster that its title and labels ask for."""
    halves: dict[str, float] = defaultdict(float)
    for cluster in picture.clusters:
        if not cluster.plain:
            halves[cluster.id] = _title(cluster)
    places = {node.id: node.cluster for node in picture.nodes}
    for edge in picture.edges:
        if edge.spine and edge.label and places[edge.source]:
            place = places[edge.source]
            halves[place] = max(halves[place], note_width(note(edge.label)) + 7)
    return defaultdict(
        float, {key: 2 * (half + _GAP - MARGIN) for key, half in halves.items()}
    )


def _title(cluster: Cluster) -> float:
    return max(map(_width, title_rows(cluster.text)))


def _width(text: Caption) -> float:
    sizes = ((text.name, 12.5), (text.words, 9.0), (text.badge, 12.5))
    return sum(_wide(part, size) + 7 for part, size in sizes if part)


def _wide(text: str, size: float) -> float:
    """The width of text of a title; other fonts than Helvetica make less of narrow letters."""
    return max(extent(text, size), size * len(text) / 2)
