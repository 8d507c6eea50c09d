"""Moves labels and titles off what Graphviz has drawn over them.

Graphviz keeps a place for the label of an arrow, and then leads other arrows through it; it does not look for the
borders of frames either.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from compiler.dataclass import dataclass
from compiler.diagram.dot import STACKED
from compiler.diagram.drawing import Drawing, Edge
from compiler.diagram.geometry import Curve, Rect, meets
from compiler.diagram.positions import Layout
from compiler.diagram.wrapping import (
    EDGE_INDENT,
    EDGE_LINE,
    edge_label_width,
    edge_lines,
)

_CLEAR = 1.0  # points between a label and anything else
_HAIR = 0.6  # points between a label and an arrow
_BESIDE = 3.0  # points between an arrow and its label
_SHARES = (0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74, 0.18, 0.82, 0.1, 0.9)
"""Places along an arrow, in the order in which they are tried."""
_TITLE_STEP = 8.0  # points by which a title is moved
_TITLE_MARGIN = 8.0  # points between a title and the side of its frame
_NUMBER = re.compile(r"-?[\d.]+")


def labels_placed(drawing: Drawing, layout: Layout) -> tuple[Drawing, Layout]:
    """The drawing and its layout, with each label where nothing else is.

    Where there is no such place, an arrow loses its type; it is still shown under the pointer.
    """
    placer = _Placer(drawing, layout)
    placer.place_titles()
    return placer.place_edge_labels()


@dataclass
class _Label:
    """The label of an arrow, and where it stands."""

    edge: Edge
    lines: list[str]
    x: float
    y: float

    @property
    def rect(self) -> Rect:
        """The rectangle of its letters."""
        return label_rect(self.lines, self.x, self.y)


def label_rect(lines: list[str], x: float, y: float) -> Rect:
    """The rectangle of the letters of an arrow's label, by its middle; before each line is an indent."""
    wide = edge_label_width(lines) + EDGE_INDENT
    half = EDGE_LINE * len(lines) / 2 - 1.5
    return Rect(x - wide / 2 + EDGE_INDENT, y - half, x + wide / 2, y + half)


class _Placer:
    def __init__(self, drawing: Drawing, layout: Layout) -> None:
        self._drawing, self._layout = drawing, layout
        shown = {
            box.id for box in drawing.boxes if box.kind != "port" or box.caption.name
        }
        self._boxes = [layout.box(name) for name in shown if name in layout.items]
        self._boxes += [
            layout.box(box.id).shifted(2 * STACKED)
            for box in drawing.boxes
            if box.stacked
        ]
        self._frames = {
            cluster.id: layout.frame(cluster.id)
            for cluster in drawing.clusters
            if layout.has_frame(cluster.id)
        }
        self._behind = [
            self._frames[cluster.id].shifted(behind * STACKED)
            for cluster in drawing.clusters
            if cluster.stacked and cluster.id in self._frames
            for behind in (1, 2)
        ]
        self._titles: dict[str, Rect] = {}
        self._curves: list[Curve] = []
        self._labels: list[_Label] = []
        self._places: list[tuple[tuple[str, str], int]] = []
        counts: dict[tuple[str, str], int] = {}
        self._own: dict[int, Curve] = {}
        for edge in drawing.edges:
            pair = edge.source, edge.target
            number = counts[pair] = counts.get(pair, -1) + 1
            found = layout.edges[pair][number]
            curve = Curve.of(found.get("pos", ""))
            if edge.kind != "order":
                self._curves.append(curve)
            if edge.label and "lp" in found:
                x, y = _point(found["lp"])
                self._own[len(self._labels)] = curve
                self._labels.append(_Label(edge, edge_lines(edge, drawing), x, y))
                self._places.append((pair, number))
        solid = [*self._boxes, *self._frames.values()]
        across = [x for curve in self._curves for x, _ in curve.points]
        self._left = min([*across, *(one.left for one in solid)], default=0.0)
        self._right = max([*across, *(one.right for one in solid)], default=0.0)

    def place_titles(self) -> None:
        """Move the titles of frames off arrows, along the upper border."""
        for cluster in self._drawing.clusters:
            if cluster.id not in self._frames:
                continue
            frame, title = self._frames[cluster.id], self._layout.title(cluster.id)
            if title is None:
                continue
            if self._is_crossed(title):
                title = next(
                    (one for one in _along(title, frame) if not self._is_crossed(one)),
                    title,
                )
                self._layout.move_title(cluster.id, title)
            self._titles[cluster.id] = title

    def _is_crossed(self, title: Rect) -> bool:
        return any(curve.meets(title.grown(_CLEAR)) for curve in self._curves)

    def place_edge_labels(self) -> tuple[Drawing, Layout]:
        """Move the labels of arrows to the first place along them that is free."""
        changed: dict[int, Edge] = {}
        for number, label in enumerate(self._labels):
            if self._is_free(label):
                continue
            found = self._moved(number, label) or self._shortened(number, label)
            if found is None:
                continue
            self._labels[number] = found
            if found.edge is not label.edge:
                changed[id(label.edge)] = found.edge
            pair, place = self._places[number]
            self._layout.edges[pair][place] = {
                **self._layout.edges[pair][place],
                "lp": f"{found.x:.2f},{found.y:.2f}",
            }
        edges = tuple(changed.get(id(edge), edge) for edge in self._drawing.edges)
        return replace(self._drawing, edges=edges), self._layout

    def _moved(self, number: int, label: _Label) -> _Label | None:
        """A label at a free place: one that makes the picture no wider, if there is one."""
        places = sorted(_beside(self._own[number], label), key=self._is_outside)
        return next((one for one in places if self._is_free(one)), None)

    def _is_outside(self, label: _Label) -> bool:
        rect = label.rect
        return rect.left < self._left or self._right < rect.right

    def _shortened(self, number: int, label: _Label) -> _Label | None:
        """A label without the type, at a free place; one that finds none goes, unless it says in which copies it is."""
        edge = replace(label.edge, label=label.edge.names)
        if edge.label:
            shorter = _Label(edge, edge_lines(edge, self._drawing), label.x, label.y)
            found = self._moved(number, shorter)
            if found is not None or edge.optional or edge.has_error:
                return found
        return _Label(replace(edge, label=""), [""], label.x, label.y)

    def _is_free(self, label: _Label) -> bool:
        rect = label.rect
        room = rect.grown(_CLEAR)
        others = (
            other.rect
            for other in self._labels
            if other.edge is not label.edge and other.edge.label
        )
        solid = (*self._boxes, *self._titles.values(), *others)
        return not (
            any(meets(room, one) for one in solid)
            or any(
                frame.border_meets(room)
                for frame in (*self._frames.values(), *self._behind)
            )
            or any(curve.meets(rect.grown(_HAIR)) for curve in self._curves)
        )


def _along(title: Rect, frame: Rect) -> Iterator[Rect]:
    """Places for a title below the upper border of its frame: at the right, then from left to right."""
    wide = title.right - title.left
    left, right = frame.left + _TITLE_MARGIN, frame.right - _TITLE_MARGIN - wide
    yield title.at(right)
    while left < right:
        yield title.at(left)
        left += _TITLE_STEP


def _beside(curve: Curve, label: _Label) -> Iterator[_Label]:
    """Places for a label at both sides of its arrow."""
    wide = edge_label_width(label.lines)
    high = EDGE_LINE * len(label.lines)
    for share in _SHARES:
        x, y = curve.at(share)
        right = x + _BESIDE + wide / 2 - EDGE_INDENT / 2
        left = x - _BESIDE - wide / 2 - EDGE_INDENT / 2
        for place in (
            (right, y),
            (left, y),
            (x - EDGE_INDENT / 2, y + high / 2 + _BESIDE),
            (x - EDGE_INDENT / 2, y - high / 2 - _BESIDE),
            (right, y + high / 2),
            (right, y - high / 2),
            (left, y + high / 2),
            (left, y - high / 2),
        ):
            yield replace(label, x=place[0], y=place[1])


def _point(text: str) -> tuple[float, float]:
    x, y = map(float, _NUMBER.findall(text))
    return x, y
