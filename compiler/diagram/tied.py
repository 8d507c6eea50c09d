"""The dashed lines between layers that have a tensor in common."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.diagram.boxes import Boxes
from compiler.diagram.frames import Frame
from compiler.diagram.opening import shown
from compiler.diagram.picture import Edge


def ties(boxes: Boxes, roots: list[Frame]) -> list[Edge]:
    """A line for each tied tensor, between the boxes that show its layers."""
    pairs = dict.fromkeys(
        pair
        for root in roots
        for frame in root.walk()
        for pair in _pairs(boxes, frame)
        if pair[0] != pair[1]
    )
    return [Edge(source, target, "tied", "tie") for source, target in pairs]


def _pairs(boxes: Boxes, frame: Frame) -> Iterator[tuple[str, str]]:
    for name in shown(frame):
        for path in frame.layer(name).ties.values():
            source = _box(boxes, frame, path)
            target = boxes.ids.get((frame, name))
            if source is not None and target is not None:
                yield source, target


def _box(boxes: Boxes, frame: Frame, path: str) -> str | None:
    """The box of a tensor: its layer, or the folded block that the layer is in."""
    for step in path.split("."):
        if step in frame.children:
            frame = frame.children[step]
        elif (frame, step) in boxes.ids:
            return boxes.ids[frame, step]
        elif not step.isdigit():
            return None
    return None
