"""The layout of a picture: each network is laid out by itself, then they are set side by side.

Graphviz aligns all that it lays out together: the title of a block in one network would stretch the chains of others.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field, replace
from typing import Any

from compiler.dataclass import dataclass
from compiler.diagram.break_line import pieces
from compiler.diagram.dot import to_dot
from compiler.diagram.drawing import Direction, Drawing, Edge
from compiler.diagram.geometry import Curve, Point, Rect
from compiler.diagram.layout_engine import LayoutEngine, lay_out
from compiler.diagram.place_labels import label_rect
from compiler.diagram.positions import Layout
from compiler.diagram.routes import TRACK, Arrow, Obstacles, routes, spline
from compiler.diagram.straighten import straighten
from compiler.diagram.two_columns import part_of, two_columns
from compiler.diagram.u_shape import u_shape
from compiler.diagram.wrapping import edge_lines

_LEVEL = 1.0  # points by which an arrow may lead back
_GAP = 14.0  # points between two networks
_NUMBER = r"(-?[\d.]+(?:e[-+]?\d+)?)"
_NUMBERS = re.compile(f"{_NUMBER},{_NUMBER}")


def arranged(drawing: Drawing, engine: LayoutEngine) -> Layout:
    """Lay out a drawing.

    Raises:
        DiagramError: if the layout of a part fails or takes too long.
    """
    placed = Layout()
    drawings = _parts(drawing)
    parts = [_laid_out(one, engine) for one in drawings]
    tallest = max(part.height for part in parts)
    down = drawing.direction == "TB" and not drawing.below
    homes = {box.id: at for at, one in enumerate(drawings) for box in one.boxes}
    across = [
        edge for edge in drawing.edges if homes[edge.source] != homes[edge.target]
    ]
    gaps = [
        sum(min(homes[edge.source], homes[edge.target]) == at for edge in across)
        for at in range(len(parts))
    ]
    frames: list[Rect] = []
    x = y = 0.0
    for part, arrows in zip(parts, gaps, strict=True):
        room = _GAP + (arrows and _GAP + TRACK * (arrows - 1))
        if down:
            part.move_to(placed, x, tallest - part.height)
            frames.append(Rect(x, tallest - part.height, x + part.width, tallest))
            x += part.width + room
        else:
            y -= part.height + _GAP
            part.move_to(placed, x, y)
            frames.append(Rect(0.0, y, part.width, y + part.height))
            y -= room - _GAP
    _lead_across(
        drawing,
        placed,
        frames,
        [(homes[e.source], homes[e.target], e) for e in across],
        down,
    )
    straighten(drawing, placed)
    return placed


def _lead_across(
    drawing: Drawing,
    placed: Layout,
    frames: Sequence[Rect],
    across: Sequence[tuple[int, int, Edge]],
    down: bool,
) -> None:
    """Add the arrows from one part to another; of parts below each other, all is turned to lead from left to right."""
    turn, back = (_same, _same) if down else (_turned, _turned_back)
    frames = [frame.moved(turn) for frame in frames]
    solid = [rect.moved(turn) for rect in _solid(drawing, placed)] if across else []
    for at, frame in enumerate(frames):
        here = [(end, edge) for start, end, edge in across if start == at]
        arrows = [
            Arrow(
                placed.box(edge.source).moved(turn),
                placed.box(edge.target).moved(turn),
                Obstacles((*solid, *frames[at + 1 : end])),
            )
            for end, edge in here
        ]
        for (_, edge), corners in zip(
            here, routes(arrows, frame.right + _GAP, rising=not down), strict=True
        ):
            found = {"pos": spline([back(point) for point in corners])}
            if edge.label:
                x, up = Curve.of(found["pos"]).at(0.5)
                found["lp"] = f"{x:.2f},{up:.2f}"
            placed.edges.setdefault((edge.source, edge.target), []).append(found)


def _same(point: Point) -> Point:
    return point


def _turned(point: Point) -> Point:
    """A point after a quarter turn: what led down leads to the right."""
    return -point[1], point[0]


def _turned_back(point: Point) -> Point:
    return point[1], -point[0]


def _solid(drawing: Drawing, placed: Layout) -> Iterator[Rect]:
    """What an arrow leads around: boxes, titles and labels."""
    for box in drawing.boxes:
        yield placed.box(box.id)
    for cluster in drawing.clusters:
        if placed.has_frame(cluster.id):
            title = placed.title(cluster.id)
            if title is not None:
                yield title
    for edge in drawing.edges:
        for found in placed.edges.get((edge.source, edge.target), ()):
            if edge.label and "lp" in found:
                lines = edge_lines(edge, drawing)
                x, y = map(float, found["lp"].split(","))
                yield label_rect(lines, x, y)


def _laid_out(drawing: Drawing, engine: LayoutEngine) -> _Part:
    """Lay out one network.

    Graphviz takes it that an arrow between two clusters may lead back; where one does, all boxes are ranked as one.
    """
    part = _Part(json.loads(lay_out(to_dot(drawing), engine)))
    if part.leads_back(drawing):
        ranked = to_dot(replace(drawing, one_ranking=True))
        part = _Part(json.loads(lay_out(ranked, engine)))
    return part


def _parts(drawing: Drawing) -> list[Drawing]:
    """The pieces of a drawing, its columns, or a drawing of each network and one of what is in no network."""
    if drawing.pieces > 1:
        return [part_of(drawing, piece) for piece in pieces(drawing)]
    pair = two_columns(drawing)
    if pair is not None:
        return [part_of(drawing, pair.left), part_of(drawing, pair.right)]
    tops = {"": ""}
    for cluster in drawing.clusters:  # outer clusters come first
        tops[cluster.id] = cluster.id if cluster.is_network else tops[cluster.parent]
    homes: dict[str, list[str]] = {}
    for box in drawing.boxes:
        homes.setdefault(tops[box.cluster], []).append(box.id)
    return [part_of(drawing, boxes) for boxes in homes.values()]


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
