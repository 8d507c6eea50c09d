"""Approximate text widths in Helvetica."""

from __future__ import annotations

_NARROW = frozenset("ijlftI.,:;'|!()[] /-")
_WIDE = frozenset("mwMW@%×→…+=<>")


def text_width(text: str, size: float) -> float:
    """The width of a line of text at a font size, both in points.

    >>> text_width("Linear", 10) < text_width("LINEAR", 10)
    True
    """
    return size * sum(map(_em_width, text))


def _em_width(char: str) -> float:
    if char in _NARROW:
        return 0.31
    if char in _WIDE:
        return 0.86
    return 0.69 if char.isupper() else 0.56
