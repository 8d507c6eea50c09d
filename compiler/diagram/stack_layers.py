"""Layers that follow one another in one box: conv · norm · relu; and equal blocks that do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from compiler.diagram.drawing import Box, Caption, Drawing, Edge

_LIGHT = ("activation", "dropout", "norm", "stochastic_depth")
"""Families of ops that go into the box of what they follow: they change no shape."""
_MOST = 4  # layers of one box
_MOST_TIGHT = 6  # layers of one box, where there is little room


def stack_layers(drawing: Drawing, *, tight: bool = False) -> Drawing:
    """Put norms, activations and dropout into the box of the layer that they alone follow.

    The box has the name, the colours and the place of the first layer, and lists the others below.

    Args:
        tight: whether all layers that follow one another are in one box, and equal blocks in another, and whether no
            types are on arrows.
    """
    if not tight:
        return _joined(drawing, _is_light, _MOST - 1, _with)
    drawing = replace(
        drawing,
        edges=tuple(
            edge if edge.has_error else replace(edge, label=edge.names)
            for edge in drawing.edges
        ),
    )
    drawing = _joined(drawing, _follows, _MOST_TIGHT - 1, _with)
    return _joined(drawing, _is_equal, len(drawing.boxes), _run)


def _joined(
    drawing: Drawing,
    fits: Callable[[Box, Box], bool],
    most: int,
    join: Callable[[Box, list[Box]], Box],
) -> Drawing:
    """Put boxes into the box that they alone follow, where the two fit."""
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
        together = _are_quiet(boxes[head], above, box, entering[0])
        if together and fits(boxes[head], box) and len(inside) < most:
            heads[box.id] = head
            members.setdefault(head, []).append(box)
    return replace(
        drawing,
        boxes=tuple(
            join(box, members[box.id]) if box.id in members else box
            for box in drawing.boxes
            if box.id not in heads
        ),
        edges=tuple(
            _from_head(edge, heads)
            for edge in drawing.edges
            if edge.target not in heads
        ),
    )


def _are_quiet(head: Box, above: Box, box: Box, edge: Edge) -> bool:
    """Whether nothing has to be said between two boxes, or of one of them alone."""
    plain = edge.kind == "flow" and not edge.has_error and not edge.names
    same = box.cluster == head.cluster and box.main_path == above.main_path
    quiet = not (box.optional or box.error or box.caption.badge or head.caption.badge)
    return plain and same and quiet and not head.optional


def _is_light(head: Box, box: Box) -> bool:
    return head.kind == box.kind == "layer" and box.family in _LIGHT


def _follows(head: Box, box: Box) -> bool:
    return head.kind == box.kind == "layer"


def _is_equal(head: Box, box: Box) -> bool:
    return head.kind == box.kind == "block" and head.block == box.block != ""


def _run(head: Box, others: list[Box]) -> Box:
    """Equal blocks that follow one another, as one box."""
    last = others[-1].caption.name
    count = f"{len(others) + 1} × {head.block}"
    return replace(
        head,
        caption=Caption(f"{head.caption.name} … {last}", count),
        holds=_held(head, others),
        has_weights=head.has_weights or any(box.has_weights for box in others),
    )


def _held(head: Box, others: list[Box]) -> tuple[tuple[str, ...], ...]:
    return (*head.holds, *(path for box in others for path in (box.path, *box.holds)))


def _with(head: Box, others: list[Box]) -> Box:
    lines = tuple(_line(box) for box in others)
    caption = replace(head.caption, lines=(*head.caption.lines, *lines))
    return replace(
        head,
        caption=caption,
        holds=_held(head, others),
        has_weights=head.has_weights or any(box.has_weights for box in others),
    )


def _line(box: Box) -> str:
    parts = box.caption.name, box.caption.detail
    return " ".join(part for part in parts if part)


def _from_head(edge: Edge, heads: Mapping[str, str]) -> Edge:
    return replace(edge, source=heads.get(edge.source, edge.source))
