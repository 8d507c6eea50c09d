"""Layers that follow one another in one box: conv · norm · relu."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from compiler.diagram.drawing import Box, Drawing, Edge

_LIGHT = ("activation", "dropout", "norm", "stochastic_depth")
"""Families of ops that go into the box of what they follow: they change no shape."""
_MOST = 4  # layers of one box


def stack_layers(drawing: Drawing) -> Drawing:
    """Put norms, activations and dropout into the box of the layer that they alone follow.

    The box has the name, the colours and the place of the first layer, and lists the others below.
    """
    boxes = {box.id: box for box in drawing.boxes}
    before: dict[str, list[Edge]] = {}
    after: dict[str, list[Edge]] = {}
    for edge in drawing.edges:
        before.setdefault(edge.target, []).append(edge)
        after.setdefault(edge.source, []).append(edge)
    heads: dict[str, str] = {}
    members: dict[str, list[Box]] = {}
    for box in drawing.boxes:  # in the order in which they run
        entering = before.get(box.id, [])
        if len(entering) != 1 or len(after.get(entering[0].source, ())) != 1:
            continue
        above = boxes[entering[0].source]
        head = heads.get(above.id, above.id)
        inside = members.get(head, [])
        if _fits(boxes[head], above, box, entering[0]) and len(inside) < _MOST - 1:
            heads[box.id] = head
            members.setdefault(head, []).append(box)
    return replace(
        drawing,
        boxes=tuple(
            _with(box, members.get(box.id, []))
            for box in drawing.boxes
            if box.id not in heads
        ),
        edges=tuple(
            _from_head(edge, heads)
            for edge in drawing.edges
            if edge.target not in heads
        ),
    )


def _fits(head: Box, above: Box, box: Box, edge: Edge) -> bool:
    plain = edge.kind == "flow" and not edge.has_error and not edge.names
    same = box.cluster == head.cluster and box.main_path == above.main_path
    kinds = head.kind == box.kind == "layer" and box.family in _LIGHT
    quiet = not (box.optional or box.error or box.caption.badge or head.caption.badge)
    return plain and same and kinds and quiet and not head.optional


def _with(head: Box, others: list[Box]) -> Box:
    if not others:
        return head
    lines = tuple(_line(box) for box in others)
    caption = replace(head.caption, lines=(*head.caption.lines, *lines))
    holds = (*head.holds, *(path for box in others for path in (box.path, *box.holds)))
    return replace(
        head,
        caption=caption,
        holds=holds,
        has_weights=head.has_weights or any(box.has_weights for box in others),
    )


def _line(box: Box) -> str:
    parts = box.caption.name, box.caption.detail
    return " ".join(part for part in parts if part)


def _from_head(edge: Edge, heads: Mapping[str, str]) -> Edge:
    return replace(edge, source=heads.get(edge.source, edge.source))
