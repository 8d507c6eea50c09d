"""Line breaks in labels."""

from __future__ import annotations

import re
import textwrap

from compiler.diagram.drawing import Drawing, Edge
from compiler.diagram.text_metrics import text_width

_EDGE_FONT = 9  # points
EDGE_LINE = 10.8
"""Points from one line of an edge's label to the next."""
EDGE_INDENT = 5.0
"""Points before each line: two spaces."""
EDGE_LABEL = 118.0
"""Points; a longer label of an edge takes two lines."""
SIDE_LABEL = 72.0
"""The same beside the main path, where a label may be moved to the right."""
_TIGHT_LABEL = 40.0
"""The same where there is little room."""
_SPACE = re.compile(r" +(?![KMGT]\b)")  # not between a number and its unit
_INSIDE = re.compile(r"(?<=_)|(?<=[a-z])(?=[A-Z])")


def wrap(text: str, width: int, max_lines: int) -> list[str]:
    """Break text into lines of at most `width` characters; an ellipsis marks what does not fit.

    >>> wrap("a sum of two", 6, 2)
    ['a sum', 'of two']
    """
    return textwrap.wrap(
        text, width, max_lines=max_lines, placeholder=" …", break_on_hyphens=False
    )


def wrap_tightly(text: str, width: int) -> list[str]:
    """Break text into as short lines as can be, at least `width` characters: long words at underscores and capitals.

    >>> wrap_tightly("hidden_context GatedResidual · 103 K", 10)
    ['hidden_', 'context', 'Gated', 'Residual ·', '103 K']
    """
    lines = [""]
    for word in _SPACE.split(text):
        parts = [word] if len(word) <= width else _INSIDE.split(word)
        for number, part in enumerate(parts):
            gap = "" if number else " "
            longer = f"{lines[-1]}{gap}{part}".lstrip()
            if len(longer) <= width or not lines[-1]:
                lines[-1] = longer
            else:
                lines.append(part)
    return lines


def wrap_edge_label(text: str, width: float = EDGE_LABEL) -> list[str]:
    """The label of an edge; a long one is broken into two lines of about equal width.

    Args:
        width: of one line, in points.

    >>> wrap_edge_label("[B, 64, (H+1)//2, (W+1)//2]")
    ['[B, 64, (H+1)//2, (W+1)//2]']
    >>> wrap_edge_label("[B, width, (H-1)//stride+1, (W-1)//stride+1]")
    ['[B, width, (H-1)//stride+1,', '(W-1)//stride+1]']
    >>> wrap_edge_label("condition: bool[T, T]", SIDE_LABEL)
    ['condition:', 'bool[T, T]']
    """
    words = text.split(" ")
    if text_width(text, _EDGE_FONT) <= width or len(words) == 1:
        return [text]
    breaks = ((words[:at], words[at:]) for at in range(1, len(words)))
    lines = ([" ".join(part) for part in parts] for parts in breaks)
    return min(lines, key=edge_label_width)


def edge_lines(edge: Edge, drawing: Drawing) -> list[str]:
    """The lines of an edge's label.

    From top to bottom, an edge beside the main path may run past the space that is kept for its label.
    """
    if drawing.room == "tight":
        return wrap_edge_label(edge.label, _TIGHT_LABEL)
    beside = drawing.direction == "TB" and not edge.on_main_path
    return wrap_edge_label(edge.label, SIDE_LABEL if beside else EDGE_LABEL)


def edge_label_width(lines: list[str]) -> float:
    """The width of an edge label in points."""
    return max(text_width(line, _EDGE_FONT) for line in lines)
