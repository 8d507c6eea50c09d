"""The key of a picture: what its colours, outlines and arrows mean."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from compiler.diagram.drawing import Box, Caption, Cluster, Drawing, Edge
from compiler.diagram.families import families_in

_ID = "key"
_ARROWS = {
    "skip": "passes layers",
    "loop": "to the next copy or step",
    "tie": "tied weights",
    "meet": "to another network",
}


def with_key(drawing: Drawing) -> Drawing:
    """A drawing with a key beside it, of what occurs in it."""
    cluster = Cluster(_ID, Caption("Key"), is_network=True, path=(_ID,))
    samples = [*_samples(drawing)]
    arrows = [*_arrows(drawing)]
    points = [
        Box("", "port", Caption(""), main_path=_ID)
        for _ in range(len(arrows) + bool(arrows))
    ]
    boxes = tuple(
        replace(box, id=f"{_ID}{number}", cluster=_ID, path=(_ID, str(number)))
        for number, box in enumerate((*samples, *points))
    )
    order = [Edge(one.id, other.id, kind="order") for one, other in pairwise(boxes)]
    shown = [
        replace(edge, source=one.id, target=other.id)
        for edge, (one, other) in zip(
            arrows, pairwise(boxes[len(samples) :]), strict=True
        )
    ]
    return replace(
        drawing,
        boxes=(*drawing.boxes, *boxes),
        clusters=(*drawing.clusters, cluster),
        edges=(*drawing.edges, *order, *shown),
    )


def _samples(drawing: Drawing) -> Iterator[Box]:
    """A box of each kind that occurs."""
    boxes = drawing.boxes
    items: list[Box | Cluster] = [*boxes, *drawing.clusters]
    for family in families_in(drawing):
        yield Box("", "layer", Caption(family), family=family)
    if any(box.kind == "block" for box in boxes):
        yield Box("", "block", Caption("block", "folded"))
    if any(box.has_weights for box in boxes):
        yield Box("", "layer", Caption("has weights"), has_weights=True)
    if any(item.optional for item in items):
        yield Box("", "layer", Caption("in some copies"), optional=True)
    if any(item.stacked for item in items):
        yield Box("", "layer", Caption("copies side by side"), stacked=True)
    if any(item.error for item in items):
        yield Box("", "layer", Caption("has an error"), error="an error")
    joins = {box.caption.name: box.op for box in boxes if box.kind == "join"}
    for symbol, op in joins.items():
        yield Box("", "input", Caption(symbol, op))


def _arrows(drawing: Drawing) -> Iterator[Edge]:
    """An arrow of each kind that occurs and does not explain itself."""
    kinds = {edge.kind for edge in drawing.edges}
    for kind, meaning in _ARROWS.items():
        if kind in kinds:
            yield Edge("", "", meaning, kind, names=meaning)
    if any(edge.is_list for edge in drawing.edges):
        yield Edge("", "", "a list", is_list=True, names="a list")
    if any(edge.optional and not edge.instead for edge in drawing.edges):
        yield Edge("", "", "in some copies", optional=True, names="in some copies")
    if any(edge.has_error for edge in drawing.edges):
        yield Edge("", "", "has an error", has_error=True, names="has an error")
