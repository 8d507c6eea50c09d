"""A long line from left to right, broken into rows one below another, so that it is no strip."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import log, sqrt

from compiler.diagram.break_line import pieces
from compiler.diagram.drawing import Drawing
from compiler.diagram.layout_engine import LayoutTooLargeError
from compiler.diagram.natural_size import natural_size
from compiler.diagram.two_columns import two_columns

_SHAPE = 2.0
"""How much wider than high a picture in rows is to be, about as a screen."""
_STRIP = 4.0
"""How much wider than high a row is that is broken."""
_GAIN = 0.75
"""How wide a picture in rows may be, as a part of one row: a long block alone in a row would gain nothing."""
_SHORT = 1000.0  # points of a row that is not broken, however low


def in_rows(drawing: Drawing) -> Drawing:
    """A drawing from left to right in as many rows as make it about twice as wide as high, if one row is a strip.

    No block is broken, so one row may be longer than the others.
    """
    parted = any(cluster.is_network for cluster in drawing.clusters)
    if drawing.direction == "TB" or parted or two_columns(drawing) is not None:
        return drawing
    try:
        wide, high = natural_size(drawing)
        if wide <= max(_SHORT, _STRIP * high):
            return drawing
        most = round(sqrt(wide / high / _SHAPE)) + 1
        found = [(natural_size(broken), broken) for broken in _rows(drawing, most)]
    except LayoutTooLargeError:  # the message names what is too large
        return drawing
    shapes = [
        (abs(log(size[0] / size[1] / _SHAPE)), at)
        for at, (size, _) in enumerate(found)
        if size[0] <= _GAIN * wide
    ]
    return found[min(shapes)[1]][1] if shapes else drawing


def _rows(drawing: Drawing, most: int) -> Iterator[Drawing]:
    for count in range(2, most + 1):
        broken = replace(drawing, pieces=count)
        if len(pieces(broken)) < count:
            return
        yield broken
