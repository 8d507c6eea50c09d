"""Where everything in a drawing stands, in points, as Graphviz's own attributes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from compiler.dataclass import dataclass
from compiler.diagram.geometry import Rect

Attributes = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Layout:
    """Positions: `pos`, `bb`, and `lp` for labels."""

    items: dict[str, Attributes] = field(default_factory=dict)
    """Of boxes and clusters, by their names in DOT."""
    edges: dict[tuple[str, str], list[Attributes]] = field(default_factory=dict)
    """Of the edges between two boxes, in the order in which they are printed."""
    sizes: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Width and height of each box, and of the title of each cluster."""

    def box(self, name: str) -> Rect:
        """The rectangle of a box."""
        return _around(self.items[name]["pos"], self.sizes[name])

    def has_frame(self, cluster: str) -> bool:
        """Whether a cluster has a frame; in a U, those around both arms have none."""
        return f"cluster_{cluster}" in self.items

    def frame(self, cluster: str) -> Rect:
        """The rectangle of a cluster."""
        sides = self.items[f"cluster_{cluster}"]["bb"].split(",")
        left, low, right, high = map(float, sides)
        return Rect(left, low, right, high)

    def title(self, cluster: str) -> Rect | None:
        """The rectangle of a cluster's title; None if it has none."""
        name = f"cluster_{cluster}"
        place = self.items[name].get("lp")
        return None if place is None else _around(place, self.sizes[name])

    def move_title(self, cluster: str, to: Rect) -> None:
        """Move a cluster's title."""
        name = f"cluster_{cluster}"
        place = f"{(to.left + to.right) / 2:.2f},{(to.low + to.high) / 2:.2f}"
        self.items[name] = {**self.items[name], "lp": place}


def _around(place: str, size: tuple[float, float]) -> Rect:
    x, y = map(float, place.split(","))
    half_width, half_height = size[0] / 2, size[1] / 2
    return Rect(x - half_width, y - half_height, x + half_width, y + half_height)
