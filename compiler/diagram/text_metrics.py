"""How wide text is in Helvetica, closely enough to leave room for it."""

from __future__ import annotations

_NARROW = frozenset("ijlftI.,:;'|!()[] /-")
_WIDE = frozenset("mwMW@%×→…+=<>")


def extent(text: str, size: float) -> float:
    """The width of a line of text in points.

    >>> extent("Linear", 10) < extent("LINEAR", 10)
    True
    """
    return size * sum(map(_width, text))


def _width(char: str) -> float:
    if char in _NARROW:
        return 0.31
    if char in _WIDE:
        return 0.86
    return 0.69 if char.isupper() else 0.56
