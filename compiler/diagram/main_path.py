"""The spine of a scope: the longest way through it, which is drawn straight."""

from __future__ import annotations

from compiler.diagram.views import Frame
from compiler.ir.graph import Ref

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

    Where ways of equal length meet, the middle one is, of an even number the first of the two.
    """
    return _walk(frame)[0]


def enters(child: Frame, outer: set[str]) -> bool:
    """Whether the spine of an opened block goes on from the spine around it."""
    assert child.parent is not None
    sources = _given(child)
    return len(sources) == 1 and sources[0] in outer


def fed(frame: Frame) -> set[str]:
    """The inputs that are no states, and the layers that depend on them."""
    states = frame.parent.layer(frame.name).node.carry if frame.parent else {}
    found = {name for name in frame.scope.inputs if name not in states}
    for name in frame.scope.nodes:
        if any(ref.node in found for _, ref in frame.sources(name)):
            found.add(name)
    return found


def _walk(frame: Frame) -> tuple[set[str], set[str]]:
    """What is on the spine, and the inputs that the longest ways begin at."""
    heights, known = _heights(frame), fed(frame)
    last = frame.outputs.get(main_output(frame))
    on: set[str] = set()
    heads = {last.node} if last is not None else set()
    while heads:
        if len(heads) == 1:
            on |= heads
        lowest = max(heads, key=lambda name: (heights.get(name, 0), name))
        if frame.is_input(lowest):
            break
        heads.discard(lowest)
        heads |= set(_longest(frame, lowest, heights, known))
    return on, heads


def _given(child: Frame) -> list[str]:
    """What the inputs at the start of a block's spine are given."""
    assert child.parent is not None
    given = dict(child.parent.sources(child.name))
    starts = _walk(child)[1]
    found = (
        given[name].node for name in child.scope.inputs if name in starts & given.keys()
    )
    return list(dict.fromkeys(found))


def _longest(
    frame: Frame, name: str, heights: dict[str, int], known: set[str]
) -> list[str]:
    """The sources of a layer that lie farthest from the inputs.

    Those of an opened block are where its own spine begins; ways that begin at weights or at a state count for less.
    """
    child = frame.children.get(name)
    if child is not None and (given := _given(child)):
        return given
    sources = list(dict.fromkeys(ref.node for _, ref in frame.sources(name)))
    sources = [source for source in sources if source in known] or sources
    most = max((heights.get(source, 0) for source in sources), default=0)
    longest = [source for source in sources if heights.get(source, 0) == most]
    if not most:
        return longest[:1]
    return longest[(len(longest) - 1) // 2 :][:1]


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
