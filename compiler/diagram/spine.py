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


def main_output(frame: Frame) -> str:
    """The output at the end of the longest way; "" where there is none."""
    heights = _heights(frame)
    found = {name: heights.get(ref.node, 0) for name, ref in frame.outputs.items()}
    return max(found, key=found.__getitem__, default="")


def spine(frame: Frame) -> set[str]:
    """The layers and the input on the longest way to an output.

    Where ways of equal length meet, the middle one is, or none for an even number, up to where they part.
    """
    heights = _heights(frame)
    last = frame.outputs.get(main_output(frame))
    found: set[str] = set()
    heads = {last.node} if last is not None else set()
    while heads:
        if len(heads) == 1:
            found |= heads
        lowest = max(heads, key=lambda name: (heights.get(name, 0), name))
        heads.discard(lowest)
        heads |= set(_longest(frame, lowest, heights))
    return found


def enters(child: Frame, inner: set[str], outer: set[str]) -> bool:
    """Whether the spine of an opened block goes on from the spine around it."""
    assert child.parent is not None
    given = dict(child.parent.sources(child.name))
    sources = [
        given[name].node
        for name in child.scope.inputs
        if name in inner and name in given
    ]
    return not sources or sources[0] in outer


def _longest(frame: Frame, name: str, heights: dict[str, int]) -> list[str]:
    """The sources of a layer that lie farthest from the inputs."""
    if frame.is_input(name):
        return []
    sources = [ref.node for _, ref in frame.sources(name)]
    most = max((heights.get(source, 0) for source in sources), default=0)
    longest = list(
        dict.fromkeys(source for source in sources if heights.get(source, 0) == most)
    )
    if not most:
        return longest[:1]
    middle, odd = divmod(len(longest), 2)
    return longest[middle : middle + 1] if odd else longest


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
