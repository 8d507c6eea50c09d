"""Words on several lines."""

from __future__ import annotations

import textwrap

from compiler.diagram.text_metrics import extent

_NOTE = 9  # points: the size of the words at an arrow
_SIDE = 118.0  # points; longer words take two lines


def wrap(text: str, width: int, most: int) -> list[str]:
    """`text` in lines of some width, at most so many; what is cut shows as an ellipsis.

    >>> wrap("a sum of two", 6, 2)
    ['a sum', 'of two']
    """
    return textwrap.wrap(
        text, width, max_lines=most, placeholder=" …", break_on_hyphens=False
    )


def note(text: str) -> list[str]:
    """The words at an arrow, a long type on two lines that are about as wide as one another.

    >>> note("[B, 64, (H+1)//2, (W+1)//2]")
    ['[B, 64, (H+1)//2, (W+1)//2]']
    >>> note("[B, width, (H-1)//stride+1, (W-1)//stride+1]")
    ['[B, width, (H-1)//stride+1,', '(W-1)//stride+1]']
    """
    words = text.split(" ")
    if extent(text, _NOTE) <= _SIDE or len(words) == 1:
        return [text]
    breaks = ((words[:at], words[at:]) for at in range(1, len(words)))
    lines = ([" ".join(part) for part in parts] for parts in breaks)
    return min(lines, key=note_width)


def note_width(lines: list[str]) -> float:
    """The width of words at an arrow in points."""
    return max(extent(line, _NOTE) for line in lines)
