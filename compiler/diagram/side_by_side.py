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
from compiler.diagram.drawing import Caption, Drawing
from compiler.diagram.layout_engine import LayoutEngine, lay_out
from compiler.diagram.positions import Layout

_GAP = 14.0  # points between two networks
_NUMBER = r"(-?[\d.]+(?:e[-+]?\d+)?)"
_NUMBERS = re.compile(f"{_NUMBER},{_NUMBER}")


def arranged(drawing: Drawing, engine: LayoutEngine) -> Layout:
    """Lay out a drawing.

    Raises:
        DiagramError: if the layout of a network fails or takes too long.
    """
    placed = Layout()
    parts = [
        _Part(json.loads(lay_out(to_dot(part), engine))) for part in _parts(drawing)
    ]
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
