"""Layers that have a tensor in common: joined by dashed lines, or in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from compiler.diagram.boxes import Boxes
from compiler.diagram.drawing import Drawing, Edge, Node
from compiler.diagram.folding import shown
from compiler.diagram.views import Frame


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


def say_ties(picture: Drawing) -> Drawing:
    """The picture with words in place of lines between boxes that do not stand on one spine of one block.

    Such lines would go round all blocks, far from either box, and ask for a margin of their own.
    """
    nodes = {node.id: node for node in picture.nodes}
    apart = {
        edge
        for edge in picture.edges
        if edge.kind == "tie" and not _in_line(nodes[edge.source], nodes[edge.target])
    }
    for edge in picture.edges:
        if edge in apart:
            known = nodes[edge.target]
            nodes[edge.target] = _tied(known, nodes[edge.source].text.name)
    return replace(
        picture,
        nodes=tuple(nodes.values()),
        edges=tuple(edge for edge in picture.edges if edge not in apart),
    )


def _in_line(source: Node, target: Node) -> bool:
    line = (source.cluster, source.spine)
    return source.spine != "" and line == (target.cluster, target.spine)


def _tied(node: Node, name: str) -> Node:
    words = f"tied to {name}"
    if node.text.words:
        words = f"{node.text.words} · {words}"
    return replace(node, text=replace(node.text, words=words))


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
