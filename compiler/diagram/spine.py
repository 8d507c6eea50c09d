"""The spine of a scope: the longest way through it, which is drawn straight."""

from __future__ import annotations

from compiler.diagram.frames import Frame
from compiler.graph import Ref

_LIMIT = 120  # of a longer scope the ends alone are drawn


def height(frame: Frame) -> int:
    """How many boxes stand above one another in a frame, those of opened blocks too.

    The title of a frame and its borders count as one.
    """
    return max(_heights(frame).values(), default=0) + 1


def spine(frame: Frame) -> set[str]:
    """The layers and the input on the longest way to the first output.

    Where ways of equal length meet, none of them is the spine, up to where they part.
    """
    heights = _heights(frame)
    ref = next(iter(frame.outputs.values()), None)
    found: set[str] = set()
    heads = {ref.node} if ref is not None else set()
    while heads:
        if len(heads) == 1:
            found |= heads
        last = max(heads, key=lambda name: (heights.get(name, 0), name))
        heads.discard(last)
        heads |= set(_longest(frame, last, heights))
    return found


def _longest(frame: Frame, name: str, heights: dict[str, int]) -> list[str]:
    """The sources of a layer that lie farthest from the inputs."""
    if frame.is_input(name):
        return []
    sources = [ref.node for _, ref in frame.sources(name)]
    most = max((heights.get(source, 0) for source in sources), default=0)
    return [source for source in sources if heights.get(source, 0) == most]


def _heights(frame: Frame) -> dict[str, int]:
    if len(frame.scope.nodes) > _LIMIT:
        return {name: place for place, name in enumerate(frame.scope.nodes)}
    heights: dict[str, int] = {}
    for name in frame.scope.nodes:
        if frame.layer(name).off:
            continue
        child = frame.children.get(name)
        own = height(child) if child is not None else 1
        refs: list[Ref] = [ref for _, ref in frame.sources(name)]
        before = max((heights.get(ref.node, 0) for ref in refs), default=0)
        heights[name] = before + own
    return heights
