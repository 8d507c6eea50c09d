"""Words on several lines."""

from __future__ import annotations

import textwrap


def wrap(text: str, width: int, most: int) -> list[str]:
    """`text` in lines of some width, at most so many; what is cut shows as an ellipsis.

    >>> wrap("a sum of two", 6, 2)
    ['a sum', 'of two']
    """
    return textwrap.wrap(
        text, width, max_lines=most, placeholder=" …", break_on_hyphens=False
    )
