"""A long picture in pieces: columns beside each other, or from left to right rows below each other."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence

from compiler.dataclass import dataclass
from compiler.diagram.box_sizing import box_size
from compiler.diagram.drawing import Drawing, Edge
from compiler.diagram.wrapping import edge_label_width, edge_lines

_MOST_CROSSING = 4  # values that a break may cut
_RANK = 22.0  # points between two boxes that follow one another


def pieces(drawing: Drawing) -> list[set[str]]:
    """The boxes of each piece of a drawing that is to be broken; fewer pieces than asked for where no more can be.

    No block is broken, and no more than four values go on to another piece at one place. The longest piece is as short
    as can be.
    """
    spans = _spans(drawing)
    breaks = _chosen(_allowed(drawing, spans), spans, drawing.pieces)
    homes = {box.id: bisect_right(breaks, spans[box.id].start) for box in drawing.boxes}
    _gather(drawing, homes)
    found: list[set[str]] = [set() for _ in range(len(breaks) + 1)]
    for name, home in homes.items():
        found[home].add(name)
    return [piece for piece in found if piece]


def _gather(drawing: Drawing, homes: dict[str, int]) -> None:
    """Put what comes in from the side into the piece that it is for, and outputs into that which they are of."""
    before, after = _joined(drawing)
    beside = _from_side(drawing, before)
    if drawing.direction == "LR":  # a layer more would make the row longer
        beside -= before.keys()
    for box in drawing.boxes:
        sources = before.get(box.id)
        if box.kind == "output" and sources and not box.main_path:
            homes[box.id] = homes[sources[0]]
    for box in reversed(drawing.boxes):
        if box.id in beside and box.id in after:
            homes[box.id] = min(homes[user] for user in after[box.id])


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
    return edge.kind in ("flow", "skip")


def _spans(drawing: Drawing) -> dict[str, _Stretch]:
    entering: dict[str, list[Edge]] = {}
    for edge in drawing.edges:
        if _flows(edge):
            entering.setdefault(edge.target, []).append(edge)
    _, after = _joined(drawing)
    long: dict[str, float] = {}
    down = drawing.direction == "TB"
    for box in drawing.boxes:
        wide, high = box_size(box, drawing.is_narrow)
        long[box.id] = _RANK + (high if down else wide)
    starts: dict[str, float] = {}
    for box in drawing.boxes:  # in the order in which they run
        starts[box.id] = max(
            (
                starts[edge.source] + long[edge.source] + _label(edge, down)
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


def _label(edge: Edge, down: bool) -> float:
    """How much longer an arrow is for its label."""
    if not edge.label:
        return 0.0
    return 8.0 if down else edge_label_width(edge_lines(edge, down))


def _tops(drawing: Drawing) -> dict[str, str]:
    """The outermost cluster around each cluster."""
    tops = {"": ""}
    for cluster in drawing.clusters:  # outer clusters come first
        tops[cluster.id] = tops[cluster.parent] or cluster.id
    return tops


def _allowed(drawing: Drawing, spans: Mapping[str, _Stretch]) -> list[float]:
    """Where a break cuts through no box and no block, and through few arrows."""
    before, after = _joined(drawing)
    beside = _from_side(drawing, before)
    reach = [
        (spans[name].start, max(spans[user].start for user in users))
        for name, users in after.items()
        if name not in beside
    ]
    solid = [span for name, span in spans.items() if name not in beside]
    return [
        at
        for at in sorted({span.start for span in solid})
        if at > 0
        and not any(span.start < at < span.end for span in solid)
        and sum(start < at <= end for start, end in reach) <= _MOST_CROSSING
    ]


def _chosen(
    allowed: Sequence[float], spans: Mapping[str, _Stretch], count: int
) -> list[float]:
    """The breaks that make the longest piece shortest."""
    end = max(span.end for span in spans.values())
    best: dict[tuple[int, int], tuple[float, list[float]]] = {}

    def split(first: int, left: int) -> tuple[float, list[float]]:
        """The pieces from one place on, with a number of breaks that are left."""
        start = allowed[first - 1] if first else 0.0
        if (first, left) not in best:
            ways: list[tuple[float, list[float]]] = [(end - start, [])]
            if left:
                for at in range(first, len(allowed)):
                    longest, others = split(at + 1, left - 1)
                    ways.append(
                        (max(allowed[at] - start, longest), [allowed[at], *others])
                    )
            best[first, left] = min(ways, key=lambda way: way[0])
        return best[first, left]

    return split(0, count - 1)[1]
