"""Which blocks are opened: by the user's word, else what fits a page."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field

from compiler.diagram.error_overlay import Blame
from compiler.diagram.main_path import height
from compiler.diagram.options import DiagramOptions
from compiler.diagram.views import Frame
from compiler.ir.graph import Scope

LEVEL = 120
"""Layers of one scope that are all drawn; of more, the middle is left out."""
ENDS = 16
"""Layers that are drawn at each end of such a scope."""

_RANKS = 34  # boxes above one another that a page holds
_NODES = 100  # boxes that a page holds
_MOST = 600  # boxes that the layout engine places in a few seconds
_LISTED = 6  # layers that one box lists


@dataclass
class _Opener:
    options: DiagramOptions
    blame: Blame
    drawn: int
    leaves: bool = False
    """Whether blocks without blocks in them are opened too, now that there is room."""
    seen: Counter[int] = field(default_factory=Counter)

    def run(self, waiting: deque[Frame]) -> None:
        """Open what the frames hold, and what that holds, outer blocks first."""
        while waiting:
            frame = waiting.popleft()
            for name in shown(frame):
                if name in frame.children:
                    continue
                child = self._opened(frame, name)
                if child is not None:
                    frame.children[name] = child
                    self.seen[id(child.scope)] += 1
                    self.drawn += len(shown(child))
                    waiting.append(child)

    def _opened(self, frame: Frame, name: str) -> Frame | None:
        layer = frame.layer(name)
        scope = layer.scope
        if scope is None or layer.off or not scope.nodes:
            return None
        if self.drawn + min(len(scope.nodes), LEVEL) > _MOST:
            return None
        if {name, scope.name} & self.options.fold:
            return None
        child = frame.open(name)
        wanted = {name, scope.name} & self.options.expand
        if wanted or self._wants(frame, child):
            return child
        return None

    def _wants(self, frame: Frame, child: Frame) -> bool:
        if self.options.depth is not None:
            return frame.level < self.options.depth
        if self.blame.inside(frame, frame.layer(child.name)):
            return True
        if listed(child.scope) or (_is_leaf(child.scope) and not self.leaves):
            return False
        if self.seen[id(child.scope)] > _outer(child):
            return False  # it is open elsewhere, and not only around itself
        return self._fits(frame, child)

    def _fits(self, frame: Frame, child: Frame) -> bool:
        if self.drawn + len(shown(child)) > _NODES:
            return False
        frame.children[child.name] = child
        fits = height(frame.root) <= _RANKS
        del frame.children[child.name]
        return fits


def open_frames(roots: list[Frame], options: DiagramOptions, blame: Blame) -> None:
    """Open what the options say, or what fits: outer blocks first, each block once.

    Blocks that hold blocks come before those that hold ops alone: structure first. A block that holds itself is opened
    again inside, once a level. A block with errors in it is opened too, so that they are seen.
    """
    opener = _Opener(options, blame, sum(len(shown(root)) for root in roots))
    opener.run(deque(roots))
    if options.depth is None:
        opener.leaves = True
        opener.run(deque(frame for root in roots for frame in root.walk()))


def shown(frame: Frame) -> list[str]:
    """The layers of a frame that are drawn: those that run, without a long middle."""
    names = list(frame.scope.nodes)
    if len(names) > LEVEL:
        names = [*names[:ENDS], *names[-ENDS:]]
    return [name for name in names if not frame.layer(name).off]


def elided(frame: Frame) -> list[str]:
    """The long middle that is not drawn."""
    names = list(frame.scope.nodes)
    return names[ENDS:-ENDS] if len(names) > LEVEL else []


def listed(scope: Scope) -> bool:
    """Whether a scope is a short list of ops, which one box can name."""
    return (
        scope.chain
        and len(scope.nodes) <= _LISTED
        and not any(isinstance(node.target, Scope) for node in scope.nodes.values())
    )


def _is_leaf(scope: Scope) -> bool:
    return all(
        not isinstance(node.target, Scope) or listed(node.target)
        for node in scope.nodes.values()
    )


def _outer(frame: Frame) -> int:
    """How many frames around one are of the same block."""
    found, outer = 0, frame.parent
    while outer is not None:
        found += outer.scope is frame.scope
        outer = outer.parent
    return found
