"""The picture of a graph in which what changed is marked."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from compiler.diagram.draw import draw
from compiler.diagram.drawing import Caption, Cluster, Drawing, Node
from compiler.diagram.options import DiagramOptions
from compiler.diff.compare import Changes
from compiler.ir.graph import Scope
from compiler.ir.typed import TypedGraph

_Box = TypeVar("_Box", Node, Cluster)
_WORDS = {"added": "new", "changed": "changed"}


def draw_changes(typed: TypedGraph, changes: Changes) -> Drawing:
    """The picture of the later of two graphs, with its new and changed layers marked."""
    return _Marker(typed, changes).marked(draw(typed, DiagramOptions()))


class _Marker:
    def __init__(self, typed: TypedGraph, changes: Changes) -> None:
        self.networks = list(typed.graph.networks.values())
        self.marks = {
            (one.place, one.name): _WORDS[one.kind]
            for one in changes.changes
            if one.kind in _WORDS
        }

    def marked(self, picture: Drawing) -> Drawing:
        """The picture with marks on nodes and clusters."""
        return replace(
            picture,
            nodes=tuple(map(self._box, picture.nodes)),
            clusters=tuple(map(self._box, picture.clusters)),
        )

    def _box(self, box: _Box) -> _Box:
        """A box is found by its path, with which its hint begins."""
        path = box.hint.partition(":")[0]
        word = self._mark(path.split("."), isinstance(box, Cluster)) if path else ""
        if not word:
            return box
        text: Caption = replace(box.text, badge=f"{box.text.badge} {word}".strip())
        return replace(box, text=text, fault=f"{path} is {word}")

    def _mark(self, path: list[str], opened: bool) -> str:
        for network in self.networks:
            found = _resolve(network, path)
            if found is None:
                continue
            place, target = found
            word = self.marks.get((place, path[-1]), "")
            if word or opened or target is None:
                return word
            return "changed inside" if self._inside(target, place, set()) else ""
        return ""

    def _inside(self, scope: Scope, place: str, seen: set[Scope]) -> bool:
        """Whether a block that is folded holds a change."""
        if scope in seen:
            return False
        seen.add(scope)
        inner = [node.target for node in scope.nodes.values()]
        named = {one for one, _ in self.marks}
        return scope.name in named or any(
            self._inside(target, place, seen)
            for target in inner
            if isinstance(target, Scope)
        )


def _resolve(network: Scope, path: list[str]) -> tuple[str, Scope | None] | None:
    """The name of the scope that a path ends in, and the block that it ends at."""
    scope: Scope | None = network
    place = network.name
    for position, name in enumerate(path):
        node = scope.nodes.get(name) if scope is not None else None
        if node is None:
            return None
        scope = node.target if isinstance(node.target, Scope) else None
        if position < len(path) - 1 and scope is not None:
            group = scope.kind == "group"
            place = f"{place}.{name}" if group else scope.name
    return place, scope
