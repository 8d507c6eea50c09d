"""Arrows between parts of a picture that are laid out apart, through the space that is left between these."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, pairwise, permutations

from compiler.dataclass import dataclass
from compiler.diagram.geometry import Point, Rect, meets

TRACK = 7.0
"""Points between two arrows that run beside each other."""
_ARROWHEAD = 6.0  # points
_ROUND = 7.0  # points of a corner
_CLEAR = 3.5  # points between an arrow and what it passes
_OUT = 9.0  # points before a turn beside a box
_BESIDE = 15.0  # points between an arrow and a box that it runs beside: outside of a frame around that
_INSIDE = 8.0  # points between an arrow and the corner of its box
_MOST_ORDERED = 5  # arrows of which all orders are tried
_BEND, _BACK, _HIT = 25.0, 1_000.0, 10_000.0
"""What a turn, the wrong end of a box, and something in the way cost in points."""


@dataclass(frozen=True, slots=True)
class Obstacles:
    """What no arrow may pass through: boxes, titles and labels."""

    rects: tuple[Rect, ...]

    def hits(self, line: Sequence[Point], but: Rect) -> int:
        """How many a line passes through, apart from the box at its end."""
        return sum(
            meets(_strip(a, b), rect)
            for rect in self.rects
            if rect != but
            for a, b in pairwise(line)
        )


def _strip(a: Point, b: Point) -> Rect:
    left, right = sorted((a[0], b[0]))
    low, high = sorted((a[1], b[1]))
    return Rect(left, low, right, high).grown(_CLEAR)


@dataclass(frozen=True, slots=True)
class Arrow:
    """The boxes at both ends of an arrow, and what it leads around."""

    source: Rect
    target: Rect
    obstacles: Obstacles


def routes(arrows: Sequence[Arrow], at: float, *, rising: bool) -> list[list[Point]]:
    """The corners of arrows from boxes at the left to boxes at the right, through a space between these.

    Args:
        at: where the first of them runs up or down, from left to right; each has a line of its own.
        rising: whether what is read first is low: where an arrow does not come from the left, it enters a box at its
            low end, and leaves it at its high end.
    """
    end = at + TRACK * (len(arrows) - 1)
    legs = [
        (
            _best(
                _legs(one.source.right, one.source, at, one.obstacles),
                one.source,
                one.obstacles,
                one.source.low if rising else one.source.high,
            ),
            _best(
                _legs(one.target.left, one.target, end, one.obstacles),
                one.target,
                one.obstacles,
                one.target.high if rising else one.target.low,
            ),
        )
        for one in arrows
    ]
    levels = [(out[-1][1], into[-1][1]) for out, into in legs]
    found: dict[int, list[Point]] = {}
    for track, number in enumerate(_order(levels)):
        direct = _direct(arrows[number])
        if direct:
            found[number] = direct
            continue
        out, into = legs[number]
        across = at + TRACK * track
        turns = [(across, out[-1][1]), (across, into[-1][1])]
        found[number] = _straight([*out[:-1], *turns, *reversed(into[:-1])])
    return [found[number] for number in range(len(arrows))]


def _direct(arrow: Arrow) -> list[Point]:
    """A straight line between two boxes at the same height; [] where there is none."""
    source, target = arrow.source, arrow.target
    low = max(source.low, target.low) + _INSIDE
    high = min(source.high, target.high) - _INSIDE
    middle = (target.low + target.high) / 2
    if low > high:
        return []
    level = min(max(middle, low), high)
    line = [(source.right, level), (target.left, level)]
    others = tuple(rect for rect in arrow.obstacles.rects if rect != source)
    return [] if Obstacles(others).hits(line, target) else line


def _order(levels: Sequence[tuple[float, float]]) -> Sequence[int]:
    """The arrows from left to right, so that they cross as little as can be; given where each comes in and leaves."""

    def crossings(order: Sequence[int]) -> int:
        return sum(
            _lies_between(levels[left][1], levels[right])
            + _lies_between(levels[right][0], levels[left])
            for left, right in combinations(order, 2)
        )

    numbers = range(len(levels))
    if len(levels) > _MOST_ORDERED:
        return sorted(numbers, key=lambda number: levels[number][1])
    return min(permutations(numbers), key=crossings)


def _lies_between(level: float, ends: tuple[float, float]) -> bool:
    return min(ends) < level < max(ends)


def _best(
    legs: Iterable[list[Point]], box: Rect, obstacles: Obstacles, wrong: float
) -> list[Point]:
    """The way that costs least; one at the wrong end of the box would seem to lead back."""

    def cost(leg: list[Point]) -> float:
        length = sum(abs(a[0] - b[0]) + abs(a[1] - b[1]) for a, b in pairwise(leg))
        back = _BACK * (leg[0][1] == wrong)
        return length + back + _BEND * len(leg) + _HIT * obstacles.hits(leg, box)

    return min(legs, key=cost)


def _legs(
    side: float, box: Rect, at: float, obstacles: Obstacles
) -> Iterator[list[Point]]:
    """Ways from the side of a box to the space between the parts: straight, or past what is in the way."""
    middle = (box.low + box.high) / 2
    yield [(side, middle), (at, middle)]
    turn = side + (_OUT if at > side else -_OUT)
    left, right = sorted((turn, at))
    across = (box.left + box.right) / 2
    beside = box.high + _BESIDE, box.low - _BESIDE
    for level in _levels(left, right, beside, obstacles):
        yield [(side, middle), (turn, middle), (turn, level), (at, level)]
        end = box.high if level > box.high else box.low
        if not box.low - _OUT < level < box.high + _OUT:
            yield [(across, end), (across, level), (at, level)]


def _levels(
    left: float, right: float, also: tuple[float, float], obstacles: Obstacles
) -> list[float]:
    """Heights at which nothing is in the way between two places, of two and those beside all that is near."""
    near = [rect for rect in obstacles.rects if rect.left < right and left < rect.right]
    edges = [
        *also,
        *(
            level
            for rect in near
            for level in (rect.low - _CLEAR - 1, rect.high + _CLEAR + 1)
        ),
    ]
    return [
        level
        for level in dict.fromkeys(edges)
        if not any(rect.low - _CLEAR < level < rect.high + _CLEAR for rect in near)
    ]


def _straight(corners: list[Point]) -> list[Point]:
    """Corners without those at which nothing turns."""
    found: list[Point] = []
    for point in corners:
        if found and point == found[-1]:
            continue
        while len(found) > 1 and _on_line(found[-2], found[-1], point):
            found.pop()
        found.append(point)
    return found


def _on_line(a: Point, b: Point, c: Point) -> bool:
    return a[0] == b[0] == c[0] or a[1] == b[1] == c[1]


def spline(corners: list[Point]) -> str:
    """An arrow with rounded corners, as Graphviz writes it: its tip, then control points."""
    *_, before, tip = corners
    end = _towards(tip, before, _ARROWHEAD)
    points = [corners[0]]
    place = corners[0]
    for corner, following in pairwise([*corners[1:-1], end]):
        start = _towards(corner, place, _ROUND)
        stop = _towards(corner, following, _ROUND)
        points += [*_line(place, start), corner, corner, stop]
        place = stop
    points += _line(place, end)
    return " ".join([f"e,{_text(tip)}", *map(_text, points)])


def _line(a: Point, b: Point) -> list[Point]:
    """The control points of a straight piece, after its first."""
    return [_between(a, b, 1 / 3), _between(a, b, 2 / 3), b]


def _towards(a: Point, b: Point, by: float) -> Point:
    """The point at a distance from one point on the way to another one, at most halfway."""
    length = abs(a[0] - b[0]) + abs(a[1] - b[1])
    return _between(a, b, min(by / length, 0.5)) if length else a


def _between(a: Point, b: Point, part: float) -> Point:
    return a[0] + (b[0] - a[0]) * part, a[1] + (b[1] - a[1]) * part


def _text(point: Point) -> str:
    return f"{point[0]:.2f},{point[1]:.2f}"
