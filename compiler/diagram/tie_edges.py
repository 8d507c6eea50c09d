"""Tied tensors: dashed edges between the layers that have a tensor in common, or a note in one of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from compiler.diagram.boxes import BoxBuilder
from compiler.diagram.drawing import Box, Drawing, Edge
from compiler.diagram.views import ScopeView

_MAX_TIES = 6  # edges; more would cover the picture


def tie_edges(builder: BoxBuilder, roots: list[ScopeView]) -> list[Edge]:
    """An edge for each pair of boxes whose layers have a tensor in common."""
    pairs = dict.fromkeys(
        pair
        for root in roots
        for view in root.walk()
        for pair in _tied_boxes(builder, view)
        if pair[0] != pair[1]
    )
    return [
        Edge(source, target, "tied", "tie", names="tied") for source, target in pairs
    ]


def ties_as_notes(drawing: Drawing) -> Drawing:
    """Replace each tie by a note in the second box, unless both boxes are on one main path of one block.

    Where there are many such ties, all become notes.

    An edge between boxes that are not would be routed around all blocks, far from both of them.
    """
    boxes = {box.id: box for box in drawing.boxes}
    ties = [edge for edge in drawing.edges if edge.kind == "tie"]
    aligned = {
        edge for edge in ties if _aligned(boxes[edge.source], boxes[edge.target])
    }
    if drawing.room != "ample":
        aligned = set()  # they take a column of their own
    noted = set(ties) - aligned if len(aligned) <= _MAX_TIES else set(ties)
    for edge in drawing.edges:
        if edge in noted:
            other = boxes[edge.source].caption.name
            boxes[edge.target] = _with_note(boxes[edge.target], other)
    return replace(
        drawing,
        boxes=tuple(boxes.values()),
        edges=tuple(edge for edge in drawing.edges if edge not in noted),
    )


def _aligned(source: Box, target: Box) -> bool:
    line = (source.cluster, source.main_path)
    return source.main_path != "" and line == (target.cluster, target.main_path)


def _with_note(box: Box, other: str) -> Box:
    detail = f"tied to {other}"
    if box.caption.detail:
        detail = f"{box.caption.detail} · {detail}"
    return replace(box, caption=replace(box.caption, detail=detail))


def _tied_boxes(builder: BoxBuilder, view: ScopeView) -> Iterator[tuple[str, str]]:
    for name in view.visible_layers:
        for path in view.layer(name).ties.values():
            source = _box_of_tensor(builder, view, path)
            target = builder.ids.get((view, name))
            if source is not None and target is not None:
                yield source, target


def _box_of_tensor(builder: BoxBuilder, view: ScopeView, path: str) -> str | None:
    """The box of the layer that has a tensor, or of the folded block around it."""
    for step in path.split("."):
        if step in view.children:
            view = view.children[step]
        elif (view, step) in builder.ids:
            return builder.ids[view, step]
        elif not step.isdigit():
            return None
    return None
