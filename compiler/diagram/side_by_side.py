"""The layout of a picture: each network is laid out by itself, then they are set side by side.

Graphviz aligns all that it lays out together: the title of a block in one network would stretch the chains of others.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import field, replace
from typing import Any

from compiler.dataclass import dataclass
from compiler.diagram.dot import to_dot
from compiler.diagram.drawing import Caption, Direction, Drawing
from compiler.diagram.geometry import Curve, Point
from compiler.diagram.layout_engine import LayoutEngine, lay_out
from compiler.diagram.positions import Layout
from compiler.diagram.u_shape import u_shape

_LEVEL = 1.0  # points by which an arrow may lead back
_GAP = 14.0  # points between two networks
_NUMBER = r"(-?[\d.]+(?:e[-+]?\d+)?)"
_NUMBERS = re.compile(f"{_NUMBER},{_NUMBER}")


def arranged(drawing: Drawing, engine: LayoutEngine) -> Layout:
    """Lay out a drawing.

    Raises:
        DiagramError: if the layout of a network fails or takes too long.
    """
    placed = Layout()
    parts = [_laid_out(part, engine) for part in _parts(drawing)]
    tallest = max(part.height for part in parts)
    x = y = 0.0
    for part in parts:
        if drawing.direction == "TB" and not drawing.below:
            part.move_to(placed, x, tallest - part.height)
            x += part.width + _GAP
        else:
            y -= part.height + _GAP
            part.move_to(placed, x, y)
    return placed


def _laid_out(drawing: Drawing, engine: LayoutEngine) -> _Part:
    """Lay out one network.

    Graphviz takes it that an arrow between two clusters may lead back; where one does, all boxes are ranked as one.
    """
    part = _Part(json.loads(lay_out(to_dot(drawing), engine)))
    if part.leads_back(drawing):
        ranked = to_dot(replace(drawing, one_ranking=True))
        part = _Part(json.loads(lay_out(ranked, engine)))
    return part


def _parts(drawing: Drawing) -> Iterator[Drawing]:
    """A drawing of each network, and one of what stands in no network."""
    tops = {"": ""}
    for cluster in drawing.clusters:  # outer clusters come first
        tops[cluster.id] = cluster.id if cluster.is_network else tops[cluster.parent]
    for top in dict.fromkeys(tops[box.cluster] for box in drawing.boxes):
        boxes = tuple(box for box in drawing.boxes if tops[box.cluster] == top)
        inside = {box.id for box in boxes}
        yield replace(
            drawing,
            title=Caption(""),
            boxes=boxes,
            clusters=tuple(one for one in drawing.clusters if tops[one.id] == top),
            edges=tuple(edge for edge in drawing.edges if edge.source in inside),
        )


@dataclass
class _Part:
    """The layout of one network, as Graphviz tells it in JSON."""

    found: Mapping[str, Any]
    width: float = field(init=False)
    height: float = field(init=False)
    _left: float = field(init=False)
    _low: float = field(init=False)

    def __post_init__(self) -> None:
        left, low, right, high = map(float, self.found["bb"].split(","))
        self._left, self._low = left, low
        self.width, self.height = right - left, high - low

    def leads_back(self, drawing: Drawing) -> bool:
        """Whether an arrow leads against the reading direction, which only a state may do, and the right arm of a U."""
        placed = Layout()
        self.move_to(placed, 0.0, 0.0)
        shape = u_shape(drawing)
        for edge in drawing.edges:
            if edge.kind not in ("flow", "skip") or (shape and shape.is_up(edge)):
                continue
            for place in placed.edges[edge.source, edge.target]:
                points = Curve.of(place.get("pos", "")).points
                if points and _is_back(points[0], points[-1], drawing.direction):
                    return True
        return False

    def move_to(self, placed: Layout, x: float, y: float) -> None:
        """Add the positions of all parts to `placed`, with the lower left corner at a point."""
        across, up = x - self._left, y - self._low

        def moved(text: str) -> str:
            return _NUMBERS.sub(
                lambda at: f"{float(at[1]) + across:.2f},{float(at[2]) + up:.2f}", text
            )

        names = [one["name"] for one in self.found["objects"]]
        for one in self.found["objects"]:
            attributes = {
                key: moved(one[key]) for key in ("pos", "bb", "lp") if key in one
            }
            if not attributes:
                continue  # a row of boxes
            name = one["name"]
            placed.items[name] = attributes
            sides = ("lwidth", "lheight") if "bb" in one else ("width", "height")
            if all(side in one for side in sides):
                width, height = (72 * float(one[side]) for side in sides)
                placed.sizes[name] = width, height
        for edge in sorted(self.found.get("edges", ()), key=lambda edge: edge["_gvid"]):
            pair = names[edge["tail"]], names[edge["head"]]
            if edge.get("dir") == "back":
                pair = pair[1], pair[0]
            attributes = {key: moved(edge[key]) for key in ("pos", "lp") if key in edge}
            placed.edges.setdefault(pair, []).append(attributes)


def _is_back(start: Point, end: Point, direction: Direction) -> bool:
    if direction == "TB":
        return end[1] > start[1] + _LEVEL
    return end[0] < start[0] - _LEVEL
