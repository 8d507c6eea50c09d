"""A figure of a given width, for a page: as much of a network as can be read there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import ceil

from compiler.dataclass import dataclass
from compiler.diagnostics.diagnostic import DiagramError, RequestError
from compiler.diagnostics.text import printable
from compiler.diagram.break_line import pieces
from compiler.diagram.captions import short_count
from compiler.diagram.dot import PAGE_HEIGHT
from compiler.diagram.draw import draw
from compiler.diagram.drawing import Drawing
from compiler.diagram.fold_networks import fold_networks
from compiler.diagram.layout_engine import LayoutTooLargeError
from compiler.diagram.natural_size import natural_size
from compiler.diagram.options import DiagramOptions
from compiler.diagram.stack_layers import stack_layers
from compiler.diagram.two_columns import two_columns
from compiler.ir.counts import ParameterCounter
from compiler.ir.typed import TypedGraph

SMALLEST = 6.0
"""Points of the smallest text that can be read in print."""
_SMALL = 9.0  # points of the smallest text of a picture, before it is scaled
_DEPTHS = (None, 2, 1, 0)
_MOST_PIECES = 8
_MOST_CROSSING = 6  # values that a break may cut where there is little room
_CLOSER = 3.0  # how much narrower a piece may be than the whole: blocks and side lines are in one piece alone
_LENGTH = re.compile(r"([\d.]+)\s*(mm|cm|in|pt)")
_POINTS = {"mm": 72 / 25.4, "cm": 720 / 25.4, "in": 72.0, "pt": 1.0}


def length(text: str) -> float:
    """A length with its unit, in points; 0 for "".

    Raises:
        RequestError: for anything else.

    >>> length("1in"), round(length("85mm"), 1)
    (72.0, 240.9)
    """
    found = _LENGTH.fullmatch(text.strip())
    number = found[1] if found else ""
    if not text:
        return 0.0
    if (
        found is None
        or number.count(".") > 1
        or not 10 <= float(number) * _POINTS[found[2]] <= 14_400
    ):
        raise RequestError(
            f"{printable(text)} is no width: write 85mm, 17.4cm, 3.3in or 240pt"
        )
    return float(number) * _POINTS[found[2]]


@dataclass(frozen=True, slots=True)
class _Candidate:
    drawing: Drawing
    width: float
    height: float

    @property
    def text(self) -> float:
        """The size of the smallest text on the page, in points."""
        return _SMALL * min(
            1.0, self.drawing.width / self.width, PAGE_HEIGHT / self.height
        )


def fitted(typed: TypedGraph, options: DiagramOptions) -> Drawing:
    """Draw a figure of the width that the options ask for, with as many levels open as can be read.

    Norms, activations and dropout are in the boxes of the layers that they follow; where that is not enough, so is what
    else follows alone. A long line is broken into columns, or into rows if it is still too wide; then names and lines
    of text are broken sooner, and of several networks each is a box. No text is smaller than 6 points, and the figure
    is no taller than a page.

    Raises:
        RequestError: if the spec has no such network or block.
        DiagramError: if not even all blocks folded can be read at that width.
    """
    tried = []
    for candidate in _candidates(typed, options):
        if candidate.text >= SMALLEST:
            return candidate.drawing
        tried.append(candidate)
    raise DiagramError(_advice(tried, options))


def _candidates(typed: TypedGraph, options: DiagramOptions) -> Iterator[_Candidate]:
    """Pictures to try, those that show the most first.

    At last those with several layers in a box, and rows; then those with short lines of text, and networks as boxes.
    """
    depths = _DEPTHS if options.depth is None else (options.depth,)
    drawings = [draw(typed, replace(options, depth=depth)) for depth in depths]
    for drawn in drawings:
        yield from _arrangements(stack_layers(drawn))
    stacked = stack_layers(drawings[-1], tight=True)
    tightest = replace(stacked, room="tight")
    for tight in (stacked, tightest, replace(tightest, crossing=_MOST_CROSSING)):
        yield from _arrangements(tight)
        if options.direction == "TB":
            yield from _arrangements(replace(tight, direction="LR"))
    asked = options.depth or options.expand
    if not asked and any(cluster.is_network for cluster in stacked.clusters):
        folded = fold_networks(stacked, _sizes(typed))
        tightest = replace(folded, room="tight")
        for drawing in (folded, tightest, replace(tightest, direction="LR")):
            yield from _arrangements(drawing)


def _sizes(typed: TypedGraph) -> Mapping[str, str]:
    """The number of parameters of each network, in words."""
    counter = ParameterCounter()
    return {
        name: short_count(counter.instance(instance))
        for name, instance in typed.networks.items()
    }


def _arrangements(drawing: Drawing) -> Iterator[_Candidate]:
    """A drawing as it is, its networks or columns one below another, and broken into pieces."""
    whole = _measured(drawing)
    if whole is not None:
        yield whole
    parted = any(cluster.is_network for cluster in drawing.clusters)
    if parted or two_columns(drawing) is not None:
        whole = _measured(replace(drawing, below=True))
        if whole is not None:
            yield whole
    if whole is not None and not parted:
        for count in _counts(whole):
            if len(pieces(replace(drawing, pieces=count))) < count:
                break  # it cannot be broken further
            broken = _measured(replace(drawing, pieces=count))
            if broken is not None:
                yield broken


def _counts(whole: _Candidate) -> range:
    """Into how many pieces a picture may be broken to be readable: none where one piece is too wide, or too high."""
    limit, page = (
        side * _SMALL / SMALLEST for side in (whole.drawing.width, PAGE_HEIGHT)
    )
    if whole.drawing.direction == "TB":
        long, most, across, room = whole.height, page, whole.width, limit
    else:
        long, most, across, room = whole.width, limit, whole.height, page
    fits = min(_MOST_PIECES, int(_CLOSER * room / across))
    least = max(2, ceil(long / most))
    return range(least, fits + 1)


def _measured(drawing: Drawing) -> _Candidate | None:
    """A drawing with its size; None if it is too large to be laid out."""
    try:
        return _Candidate(drawing, *natural_size(drawing))
    except LayoutTooLargeError:
        return None


def _advice(tried: list[_Candidate], options: DiagramOptions) -> str:
    """What to do where nothing can be read: fold, draw less, or take more room."""
    if not tried:
        return "the network is too large for a figure: draw a block alone (--block)"
    best = max(tried, key=lambda one: one.text)
    millimetres = 25.4 / 72
    text = (
        f"at {options.width * millimetres:.0f} mm, the smallest text would be {best.text:.1f} pt, "
        f"and no less than {SMALLEST:g} pt can be read"
    )
    if options.depth or options.expand:
        return f"{text}: fold {best.drawing.largest}, the largest part (--fold), or leave out --depth and --expand"
    low = [one.width for one in tried if one.height * SMALLEST / _SMALL <= PAGE_HEIGHT]
    ways = ["draw a block alone (--block)"]
    if any(cluster.is_network for cluster in tried[0].drawing.clusters):
        ways.insert(0, "draw one network (--network)")
    if low:
        ways.append(f"give it {ceil(min(low) * SMALLEST / _SMALL * millimetres)} mm")
    return f"{text}: {', or '.join(ways)}"
