"""Arrows that Graphviz leads around boxes, though the way straight on is free: as that of value, beside query and key.

Graphviz crosses as few arrows as it can, and takes long ways for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

from compiler.diagram.drawing import Drawing
from compiler.diagram.geometry import Curve, Point, Rect
from compiler.diagram.positions import Attributes, Layout
from compiler.diagram.ranking import boxes_alike
from compiler.diagram.routes import spline

_FEWEST = 3  # boxes beside each other: those of query, key and value
_AROUND = 12.0  # points by which an arrow leads past both its ends
_CLEAR = 2.5  # points between an arrow and what it passes
_INSIDE = 8.0  # points between an arrow and the corner of its box
_SHARES = (0.5, 0.35, 0.65, 0.2, 0.8)
"""Places along the side of a box, in the order in which they are tried."""

_Turn = Callable[[Point], Point]


def straighten(drawing: Drawing, layout: Layout) -> None:
    """Lead the arrows from boxes beside each other straight on, where these lead around and nothing is in the way."""
    turn = _same if drawing.direction == "TB" else _turned
    rows = [row for row in boxes_alike(drawing) if len(row) >= _FEWEST]
    beside = {box.id for row in rows for box in row}
    solid = [rect.moved(turn) for rect in _solid(drawing, layout)]
    for edge in drawing.edges:
        found = layout.edges.get((edge.source, edge.target), [])
        if edge.source not in beside or edge.kind not in ("flow", "skip"):
            continue
        ends = [layout.box(name).moved(turn) for name in (edge.source, edge.target)]
        curve = [turn(point) for point in Curve.of(found[0].get("pos", "")).points]
        others = [rect for rect in solid if rect not in ends]
        if len(found) == 1 and _leads_around(curve, *ends):
            ways = (way for way in _ways(*ends) if _is_free(way, others))
            for way in islice(ways, 1):
                layout.edges[edge.source, edge.target] = [
                    _placed(found[0], spline([turn(point) for point in way]))
                ]


def _placed(found: Attributes, pos: str) -> Attributes:
    """An arrow in another place, with its label upon it; that is moved beside it when all labels are placed."""
    x, y = Curve.of(pos).at(0.5)
    return {"pos": pos, **({"lp": f"{x:.2f},{y:.2f}"} if "lp" in found else {})}


def _same(point: Point) -> Point:
    return point


def _turned(point: Point) -> Point:
    """A point of a picture from left to right, in one from top to bottom; and back."""
    return -point[1], -point[0]


def _solid(drawing: Drawing, layout: Layout) -> Iterator[Rect]:
    """What an arrow must not pass through: boxes and titles."""
    for box in drawing.boxes:
        yield layout.box(box.id)
    for cluster in drawing.clusters:
        title = layout.title(cluster.id) if layout.has_frame(cluster.id) else None
        if title is not None:
            yield title


def _leads_around(curve: list[Point], source: Rect, target: Rect) -> bool:
    across = [x for x, _ in curve] or [source.left]
    return (
        min(across) < min(source.left, target.left) - _AROUND
        or max(across) > max(source.right, target.right) + _AROUND
        or (min(across) < target.left - _AROUND and source.left > target.left)
        or (max(across) > target.right + _AROUND and source.right < target.right)
    )


def _ways(source: Rect, target: Rect) -> Iterator[list[Point]]:
    """The corners of ways down from one box, and then into the side of another."""
    for down in _SHARES:
        x = _between(source.left, source.right, down)
        if target.left < x < target.right:
            yield [(x, source.low), (x, target.high)]
            continue
        side = target.right if x >= target.right else target.left
        for up in _SHARES:
            y = _between(target.low, target.high, up)
            yield [(x, source.low), (x, y), (side, y)]


def _between(low: float, high: float, share: float) -> float:
    margin = min(_INSIDE, (high - low) / 4)
    return low + margin + share * (high - low - 2 * margin)


def _is_free(way: list[Point], solid: list[Rect]) -> bool:
    curve = Curve.of(spline(way))
    return not any(curve.meets(rect.grown(_CLEAR)) for rect in solid)
