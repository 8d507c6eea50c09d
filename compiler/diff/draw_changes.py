"""A drawing of a graph with its changes marked."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from compiler.diagram.draw import draw
from compiler.diagram.drawing import Box, Cluster, Drawing
from compiler.diff.compare import Changes
from compiler.ir.graph import Scope
from compiler.ir.typed import TypedGraph

_Marked = TypeVar("_Marked", Box, Cluster)
_MARKS = {"added": "new", "changed": "changed"}


def draw_changes(typed: TypedGraph, changes: Changes) -> Drawing:
    """Draw the later of two graphs, with its added and changed layers marked in red."""
    return _Marker(typed, changes).marked(draw(typed))


class _Marker:
    def __init__(self, typed: TypedGraph, changes: Changes) -> None:
        self.networks = list(typed.graph.networks.values())
        self.marks = {
            (change.scope, change.name): _MARKS[change.kind]
            for change in changes.changes
            if change.kind in _MARKS
        }

    def marked(self, drawing: Drawing) -> Drawing:
        return replace(
            drawing,
            boxes=tuple(map(self._marked, drawing.boxes)),
            clusters=tuple(map(self._marked, drawing.clusters)),
        )

    def _marked(self, item: _Marked) -> _Marked:
        path = list(item.path[1:])
        mark = self._mark(path, isinstance(item, Cluster)) if path else ""
        if not mark:
            return item
        badge = f"{item.caption.badge} {mark}".strip()
        caption = replace(item.caption, badge=badge)
        return replace(item, caption=caption, error=f"{'.'.join(path)} is {mark}")

    def _mark(self, path: list[str], expanded: bool) -> str:
        for network in self.networks:
            found = _resolve(network, path)
            if found is None:
                continue
            scope, target = found
            mark = self.marks.get((scope, path[-1]), "")
            if mark or expanded or target is None:
                return mark
            return "changed inside" if self._has_changes(target, set()) else ""
        return ""

    def _has_changes(self, scope: Scope, visited: set[Scope]) -> bool:
        """Whether anything inside a folded block is marked."""
        if scope in visited:
            return False
        visited.add(scope)
        targets = [node.target for node in scope.each_node()]
        marked = {name for name, _ in self.marks}
        return scope.name in marked or any(
            self._has_changes(target, visited)
            for target in targets
            if isinstance(target, Scope)
        )


def _resolve(network: Scope, path: list[str]) -> tuple[str, Scope | None] | None:
    """The name of the scope that the last layer of a path is in, and the scope that this layer runs, if any."""
    scope: Scope | None = network
    scope_name = network.name
    for position, name in enumerate(path):
        node = scope.nodes.get(name) if scope is not None else None
        if node is None:
            return None
        scope = node.target if isinstance(node.target, Scope) else None
        if position < len(path) - 1 and scope is not None:
            group = scope.kind == "group"
            scope_name = f"{scope_name}.{name}" if group else scope.name
    return scope_name, scope
