"""Rectangles and curves of a layout, in points."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import field
from functools import cached_property
from itertools import pairwise

from compiler.dataclass import dataclass

Point = tuple[float, float]

_STEPS = 12  # straight pieces that stand for a Bézier curve
_NUMBER = r"(-?[\d.]+(?:e[-+]?\d+)?)"
_NUMBERS = re.compile(f"{_NUMBER},{_NUMBER}")


@dataclass(frozen=True, slots=True)
class Rect:
    """A rectangle, its sides from left to right and from low to high."""

    left: float
    low: float
    right: float
    high: float

    def grown(self, by: float) -> Rect:
        """With more room on each side."""
        return Rect(self.left - by, self.low - by, self.right + by, self.high + by)

    def at(self, left: float) -> Rect:
        """Moved to the left or right."""
        return Rect(left, self.low, left + self.right - self.left, self.high)

    def shifted(self, by: float) -> Rect:
        """Moved to the right and up."""
        return Rect(self.left + by, self.low + by, self.right + by, self.high + by)

    def moved(self, move: Callable[[Point], Point]) -> Rect:
        """The rectangle between its corners after a turn by quarters, or a shift."""
        corners = [move((self.left, self.low)), move((self.right, self.high))]
        (left, right), (low, high) = map(sorted, zip(*corners, strict=True))
        return Rect(left, low, right, high)

    def border_meets(self, other: Rect) -> bool:
        """Whether the border of this rectangle goes through another one."""
        inside = (
            self.left < other.left
            and self.low < other.low
            and other.right < self.right
            and other.high < self.high
        )
        return meets(self, other) and not inside


def meets(one: Rect, other: Rect) -> bool:
    """Whether two rectangles have points in common."""
    return (
        one.left < other.right
        and other.left < one.right
        and one.low < other.high
        and other.low < one.high
    )


@dataclass(frozen=True)
class Curve:
    """An arrow as straight pieces."""

    points: tuple[Point, ...]
    bounds: Rect = field(init=False)

    def __post_init__(self) -> None:
        across = [x for x, _ in self.points] or [0.0]
        up = [y for _, y in self.points] or [0.0]
        bounds = Rect(min(across), min(up), max(across), max(up)).grown(0.01)
        object.__setattr__(self, "bounds", bounds)

    @classmethod
    def of(cls, pos: str) -> Curve:
        """A curve as Graphviz gives it: `s,x,y e,x,y`, then control points; its tips are where arrowheads end."""
        start = end = None
        points: list[Point] = []
        for word in pos.split():
            (x, y), *_ = _NUMBERS.findall(word)
            at = float(x), float(y)
            if word.startswith("e,"):
                end = at
            elif word.startswith("s,"):
                start = at
            else:
                points.append(at)
        found = [start] if start else []
        for first in range(0, len(points) - 3, 3):
            found += _bezier(points[first : first + 4])
        return cls(tuple([*found, end] if end else found))

    def at(self, share: float) -> Point:
        """The point after a share of the length."""
        left = share * self._length
        for a, b in pairwise(self.points):
            step = _distance(a, b)
            if step and left <= step:
                return a[0] + (b[0] - a[0]) * left / step, a[1] + (
                    b[1] - a[1]
                ) * left / step
            left -= step
        return self.points[-1] if self.points else (0.0, 0.0)

    @cached_property
    def _length(self) -> float:
        return sum(_distance(a, b) for a, b in pairwise(self.points))

    def meets(self, rect: Rect) -> bool:
        """Whether the curve goes through a rectangle."""
        if not meets(self.bounds, rect):
            return False
        return any(_segment_meets(a, b, rect) for a, b in pairwise(self.points))


def _distance(a: Point, b: Point) -> float:
    return float(((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2) ** 0.5)


def _bezier(points: list[Point]) -> list[Point]:
    found: list[Point] = []
    for step in range(_STEPS + 1):
        t = step / _STEPS
        u = 1 - t
        weights = u**3, 3 * u * u * t, 3 * u * t * t, t**3
        x, y = (
            sum(
                weight * point[axis]
                for weight, point in zip(weights, points, strict=True)
            )
            for axis in (0, 1)
        )
        found.append((x, y))
    return found


def _segment_meets(a: Point, b: Point, rect: Rect) -> bool:
    """Whether a straight piece goes through a rectangle."""
    start, end = 0.0, 1.0
    for axis, low, high in ((0, rect.left, rect.right), (1, rect.low, rect.high)):
        move = b[axis] - a[axis]
        if move == 0:
            if not low < a[axis] < high:
                return False
            continue
        first, second = (low - a[axis]) / move, (high - a[axis]) / move
        start, end = max(start, min(first, second)), min(end, max(first, second))
    return start < end
