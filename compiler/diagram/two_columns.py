"""Encoder and decoder as two columns from the top, with what the one gives the other led across."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from compiler.dataclass import dataclass
from compiler.diagram.drawing import Box, Caption, Drawing, Edge
from compiler.diagram.u_shape import u_shape

_SHORTEST = 5  # boxes from top to bottom of a column
_GAIN = 1.1  # how much taller a picture without columns is, in boxes
_MOST_STARTS = 24  # boxes at which a second column may start: a picture has few


@dataclass(frozen=True, slots=True)
class Columns:
    """The boxes of the left column, and of the right one, which takes values of the left."""

    left: frozenset[str]
    right: frozenset[str]

    def is_across(self, edge: Edge) -> bool:
        """Whether an arrow leads from one column to the other."""
        return (edge.source in self.left) != (edge.target in self.left)


def two_columns(drawing: Drawing) -> Columns | None:
    """The two columns of a drawing; None if it is better drawn as one.

    The right column is what depends on one of the starts of the picture, such as the target of a translation; the left
    column is a long part that does not, and feeds it. Both are about as high, and no block is in both.
    """
    if drawing.below or drawing.pieces > 1 or not _may_have(drawing):
        return None
    graph = _Graph.of(drawing)
    boxes = {box.id: box for box in drawing.boxes}
    starts = [
        box.id
        for box in drawing.boxes
        if not graph.before.get(box.id) and (box.kind == "input" or box.has_weights)
    ]
    whole = graph.height(box.id for box in drawing.boxes)
    found: list[tuple[int, Columns]] = []
    for start in starts[:_MOST_STARTS]:
        pair = graph.split(start)
        if pair is not None and _is_read(drawing, pair, boxes[start], graph):
            tallest = max(graph.height(pair.left), graph.height(pair.right))
            if whole >= _GAIN * tallest:
                found.append((tallest, pair))
    return min(found, key=lambda one: one[0])[1] if found else None


def _is_read(drawing: Drawing, pair: Columns, start: Box, graph: _Graph) -> bool:
    """Whether the right column is a block that takes what the left one gives, and has a line of its own.

    Where the main line leads across, the right column has to start at an input that is embedded.
    """
    boxes = {box.id: box for box in drawing.boxes}
    across = [
        edge for edge in drawing.edges if edge.kind != "tie" and pair.is_across(edge)
    ]
    first = [boxes[name] for name in graph.after[start.id]]
    embedded = start.kind == "input" and all(
        box.has_weights and not box.cluster for box in first
    )
    return all(boxes[edge.target].cluster for edge in across) and (
        embedded or not any(edge.on_main_path for edge in across)
    )


def _may_have(drawing: Drawing) -> bool:
    networks = any(cluster.is_network for cluster in drawing.clusters)
    return not networks and u_shape(drawing) is None


@dataclass(frozen=True, slots=True)
class _Graph:
    order: tuple[str, ...]
    before: Mapping[str, list[str]]
    after: Mapping[str, list[str]]
    frames: Mapping[str, frozenset[str]]
    """The clusters around each box."""

    @classmethod
    def of(cls, drawing: Drawing) -> _Graph:
        before: dict[str, list[str]] = {}
        after: dict[str, list[str]] = {}
        for edge in drawing.edges:
            if edge.kind in ("flow", "skip"):
                before.setdefault(edge.target, []).append(edge.source)
                after.setdefault(edge.source, []).append(edge.target)
        around: dict[str, frozenset[str]] = {"": frozenset()}
        for cluster in drawing.clusters:  # outer clusters come first
            around[cluster.id] = around[cluster.parent] | {cluster.id}
        frames = {box.id: around[box.cluster] for box in drawing.boxes}
        return cls(tuple(box.id for box in drawing.boxes), before, after, frames)

    def split(self, start: str) -> Columns | None:
        """What depends on a box as the right column, and what feeds that as the left one."""
        right = self._whole_blocks({start})
        parts = self._parts(right)
        tall = [part for part in parts if self.height(part) >= _SHORTEST]
        if len(tall) != 1 or self.height(right) < _SHORTEST:
            return None
        left = frozenset(tall[0])
        right = set(self.order) - left
        frames = [
            frozenset().union(*(self.frames[name] for name in side))
            for side in (left, right)
        ]
        return None if frames[0] & frames[1] else Columns(left, frozenset(right))

    def _whole_blocks(self, start: set[str]) -> set[str]:
        """What depends on some boxes, with all that is in a block with any of these."""
        found: set[str] = set()
        while start > found:
            found = self._reached(start, self.after)
            frames = frozenset().union(*(self.frames[name] for name in found))
            start = {
                name
                for name in self.order
                if name in found or self.frames[name] & frames
            }
        return found

    def height(self, boxes: Iterable[str]) -> int:
        """How many of some boxes are on the longest path."""
        inside = set(boxes)
        heights: dict[str, int] = {}
        for name in self.order:
            if name in inside:
                above = (heights.get(one, 0) for one in self.before.get(name, ()))
                heights[name] = 1 + max(above, default=0)
        return max(heights.values(), default=0)

    def _parts(self, without: set[str]) -> list[set[str]]:
        """The other boxes, those together that are joined by arrows."""
        both = {
            name: [
                one
                for one in (*self.before.get(name, ()), *self.after.get(name, ()))
                if one not in without
            ]
            for name in self.order
            if name not in without
        }
        found: list[set[str]] = []
        seen: set[str] = set()
        for name in both:
            if name not in seen:
                found.append(self._reached({name}, both))
                seen |= found[-1]
        return found

    def _reached(self, start: set[str], following: Mapping[str, list[str]]) -> set[str]:
        found, waiting = set(start), list(start)
        while waiting:
            for name in following.get(waiting.pop(), ()):
                if name not in found:
                    found.add(name)
                    waiting.append(name)
        return found


def off_main_path(drawing: Drawing) -> Drawing:
    """A drawing whose columns, if it has two, have main paths of their own."""
    pair = two_columns(drawing)
    if pair is None:
        return drawing
    edges = (
        replace(edge, on_main_path=False) if pair.is_across(edge) else edge
        for edge in drawing.edges
    )
    return replace(drawing, edges=tuple(edges))


def part_of(drawing: Drawing, boxes: Iterable[str]) -> Drawing:
    """A part of a drawing, without its title."""
    inside = set(boxes)
    parents = {cluster.id: cluster.parent for cluster in drawing.clusters}
    frames: set[str] = set()
    for box in drawing.boxes:
        frame = box.cluster if box.id in inside else ""
        while frame and frame not in frames:
            frames.add(frame)
            frame = parents[frame]
    return replace(
        drawing,
        title=Caption(""),
        pieces=1,
        boxes=tuple(box for box in drawing.boxes if box.id in inside),
        clusters=tuple(one for one in drawing.clusters if one.id in frames),
        edges=tuple(
            edge
            for edge in drawing.edges
            if edge.source in inside and edge.target in inside
        ),
    )
