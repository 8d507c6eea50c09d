"""A long picture in pieces: columns beside each other, or from left to right rows below each other."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from functools import cache

from compiler.dataclass import dataclass
from compiler.diagram.box_sizing import box_size
from compiler.diagram.drawing import Drawing, Edge
from compiler.diagram.wrapping import edge_label_width, edge_lines

_RANK = 22.0  # points between two boxes that follow one another


def pieces(drawing: Drawing) -> list[set[str]]:
    """The boxes of each piece of a drawing that is to be broken; fewer pieces than asked for where no more can be.

    No block is broken, and only so many values as may go on to another piece at one place. The longest piece is as
    short as can be.
    """
    spans = _spans(drawing)
    line = _Chain(drawing, spans)
    breaks = line.broken(_allowed(drawing, spans), drawing.pieces)
    found: list[set[str]] = [set() for _ in range(len(breaks) + 1)]
    for name, place in line.places.items():
        found[bisect_right(breaks, place)].add(name)
    return [piece for piece in found if piece]


def _places(drawing: Drawing, spans: Mapping[str, _Stretch]) -> dict[str, float]:
    """Where along the reading direction each box is counted.

    What comes in from the side is at what it is for, and outputs at that which they are of.
    """
    before, after = _joined(drawing)
    beside = _from_side(drawing, before)
    if drawing.direction == "LR":  # a layer more would make the row longer
        beside -= before.keys()
    places = {name: span.start for name, span in spans.items()}
    for box in drawing.boxes:
        sources = before.get(box.id)
        if box.kind == "output" and sources and not box.main_path:
            places[box.id] = places[sources[0]]
    for box in reversed(drawing.boxes):
        if box.id in beside and box.id in after:
            places[box.id] = min(places[user] for user in after[box.id])
    return places


def _joined(
    drawing: Drawing,
) -> tuple[Mapping[str, list[str]], Mapping[str, list[str]]]:
    """What feeds each box, and what each box feeds."""
    before: dict[str, list[str]] = {}
    after: dict[str, list[str]] = {}
    for edge in drawing.edges:
        if _flows(edge):
            before.setdefault(edge.target, []).append(edge.source)
            after.setdefault(edge.source, []).append(edge.target)
    return before, after


def _from_side(drawing: Drawing, before: Mapping[str, list[str]]) -> set[str]:
    """Inputs and weights that are not on the main path, and the layer that each is led through."""
    free = [box for box in drawing.boxes if not (box.main_path or box.cluster)]
    starts = {box.id for box in free if box.id not in before}
    return starts | {
        box.id
        for box in free
        if box.kind != "output" and starts.issuperset(before.get(box.id, ()))
    }


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Where a box begins and ends along the reading direction, in points; of one in a block, the block."""

    start: float
    end: float


def _flows(edge: Edge) -> bool:
    return edge.kind in ("flow", "skip", "meet")


def _spans(drawing: Drawing) -> dict[str, _Stretch]:
    entering: dict[str, list[Edge]] = {}
    for edge in drawing.edges:
        if _flows(edge):
            entering.setdefault(edge.target, []).append(edge)
    _, after = _joined(drawing)
    long = _lengths(drawing)
    starts: dict[str, float] = {}
    for box in drawing.boxes:  # in the order in which they run
        starts[box.id] = max(
            (
                starts[edge.source] + long[edge.source] + _label(edge, drawing)
                for edge in entering.get(box.id, ())
            ),
            default=0.0,
        )
    for box in reversed(drawing.boxes):
        users = after.get(box.id)
        if users and box.id not in entering:
            starts[box.id] = max(
                0.0, min(map(starts.__getitem__, users)) - long[box.id]
            )
    tops = _tops(drawing)
    spans = {
        name: _Stretch(start, start + long[name]) for name, start in starts.items()
    }
    blocks: dict[str, _Stretch] = {}
    for box in drawing.boxes:
        top, span = tops[box.cluster], spans[box.id]
        if top:
            known = blocks.get(top, span)
            blocks[top] = _Stretch(
                min(known.start, span.start), max(known.end, span.end)
            )
    return {
        box.id: blocks.get(tops[box.cluster], spans[box.id]) for box in drawing.boxes
    }


def _lengths(drawing: Drawing) -> dict[str, float]:
    """How long each box is along the reading direction, with the space after it."""
    along = 1 if drawing.direction == "TB" else 0
    return {box.id: _RANK + box_size(box, drawing.room)[along] for box in drawing.boxes}


def _label(edge: Edge, drawing: Drawing) -> float:
    """How much longer an arrow is for its label."""
    if not edge.label:
        return 0.0
    if drawing.direction == "TB":
        return 8.0
    return edge_label_width(edge_lines(edge, drawing))


def _tops(drawing: Drawing) -> dict[str, str]:
    """The outermost cluster around each cluster."""
    tops = {"": ""}
    for cluster in drawing.clusters:  # outer clusters come first
        tops[cluster.id] = tops[cluster.parent] or cluster.id
    return tops


def _allowed(drawing: Drawing, spans: Mapping[str, _Stretch]) -> list[float]:
    """Where a break cuts through no block, and through few arrows; of boxes beside each other, some may be after it."""
    before, after = _joined(drawing)
    beside = _from_side(drawing, before)
    reach = [
        (spans[name].start, max(spans[user].start for user in users))
        for name, users in after.items()
        if name not in beside
    ]
    starts = {span.start for name, span in spans.items() if name not in beside}
    blocks = {spans[box.id] for box in drawing.boxes if box.cluster}
    return [
        at
        for at in sorted(starts)
        if at > 0
        and not any(block.start < at < block.end for block in blocks)
        and sum(start < at <= end for start, end in reach) <= drawing.crossing
    ]


class _Chain:
    """What a drawing is broken into: its boxes in the order in which they run, and where each is counted."""

    def __init__(self, drawing: Drawing, spans: Mapping[str, _Stretch]) -> None:
        self.places = _places(drawing, spans)
        self._end = max(span.end for span in spans.values())
        self._long = _lengths(drawing)
        self._entering: dict[str, list[tuple[str, float]]] = {}
        for edge in drawing.edges:
            if _flows(edge):
                arrow = edge.source, _label(edge, drawing)
                self._entering.setdefault(edge.target, []).append(arrow)

    def broken(self, allowed: Sequence[float], count: int) -> list[float]:
        """The breaks that make the longest piece shortest."""

        @cache
        def split(first: int, left: int) -> tuple[float, list[float]]:
            """The pieces from one place on, with a number of breaks that are left."""
            start = allowed[first - 1] if first else 0.0
            ways: list[tuple[float, list[float]]] = [(length(start, self._end), [])]
            if left:
                for at in range(first, len(allowed)):
                    longest, others = split(at + 1, left - 1)
                    here = length(start, allowed[at])
                    ways.append((max(here, longest), [allowed[at], *others]))
            return min(ways, key=lambda way: way[0])

        length = cache(self._length)
        return split(0, count - 1)[1]

    def _length(self, start: float, end: float) -> float:
        """The longest path through the boxes of a piece."""
        reached: dict[str, float] = {}
        for name, place in self.places.items():
            if start <= place < end:
                ways = (
                    reached[source] + label
                    for source, label in self._entering.get(name, ())
                    if source in reached
                )
                reached[name] = max(ways, default=0.0) + self._long[name]
        return max(reached.values(), default=0.0)
