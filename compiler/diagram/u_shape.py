"""Levels inside levels, with connections across, as a U: down at the left, up at the right, as papers draw a U-Net."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from compiler.dataclass import dataclass
from compiler.diagram.drawing import Drawing, Edge

_FEWEST = 2  # levels that make a U


@dataclass(frozen=True, slots=True)
class UShape:
    """Which boxes are in the right arm of a U, and which stand at one height in both arms."""

    right: frozenset[str]
    """The ids of the boxes in the right arm, whose arrows go up."""
    levels: tuple[tuple[str, str], ...]
    """The boxes at both ends of the connections across, outer ones first."""

    def is_up(self, edge: Edge) -> bool:
        """Whether an arrow goes up."""
        across = (edge.source, edge.target) in self.levels
        return edge.target in self.right and not across


def u_shape(drawing: Drawing) -> UShape | None:
    """The U that a drawing has; None if it has none.

    A U is what has connections past a part of the main path that has such connections inside, and so on: each ends in
    a concatenation of its own, or each in a sum.
    """
    if drawing.direction != "TB":
        return None
    for path in dict.fromkeys(box.main_path for box in drawing.boxes):
        order = _along(drawing, path) if path else []
        levels = _levels(drawing, order)
        if len(levels) >= _FEWEST:
            places = {name: at for at, name in enumerate(order)}
            first, last = (places[name] for name in levels[-1])
            bottom = order[(first + last) // 2]
            return UShape(frozenset(_after(drawing, bottom)), tuple(levels))
    return None


def folded_up(drawing: Drawing, shape: UShape) -> Drawing:
    """A drawing without the frames that both arms would be in, and with a main path for each arm."""
    parents = {cluster.id: cluster.parent for cluster in drawing.clusters}
    homes = {box.id: box.cluster for box in drawing.boxes}
    around = [_around(parents, homes[name]) for pair in shape.levels for name in pair]
    both = {
        cluster
        for left, right in zip(around[::2], around[1::2], strict=True)
        for cluster in left
        if cluster in right
    }

    def home(cluster: str) -> str:
        while cluster in both:
            cluster = parents[cluster]
        return cluster

    return replace(
        drawing,
        boxes=tuple(
            replace(
                box,
                cluster=home(box.cluster),
                main_path=f"{box.main_path}u"
                if box.main_path and box.id in shape.right
                else box.main_path,
            )
            for box in drawing.boxes
        ),
        clusters=tuple(
            replace(cluster, parent=home(cluster.parent))
            for cluster in drawing.clusters
            if cluster.id not in both
        ),
        edges=tuple(
            replace(edge, on_main_path=False)
            if (edge.source in shape.right) != (edge.target in shape.right)
            else edge
            for edge in drawing.edges
        ),
    )


def _around(parents: Mapping[str, str], cluster: str) -> list[str]:
    found = []
    while cluster:
        found.append(cluster)
        cluster = parents[cluster]
    return found


def _along(drawing: Drawing, path: str) -> list[str]:
    """The boxes of a main path, in their order."""
    following = {
        edge.source: edge.target for edge in drawing.edges if edge.on_main_path
    }
    inside = [box.id for box in drawing.boxes if box.main_path == path]
    heads = set(inside) - set(following.values())
    names = [name for name in inside if name in heads][:1]
    while names and names[-1] in following:
        names.append(following[names[-1]])
    return names


def _levels(drawing: Drawing, order: list[str]) -> list[tuple[str, str]]:
    """The connections across that lie one inside another, outer ones first."""
    places = {name: at for at, name in enumerate(order)}
    joins = {box.id: box.op for box in drawing.boxes if box.kind == "join"}
    across = sorted(
        (places[edge.source], places[edge.target])
        for edge in drawing.edges
        if edge.kind == "skip"
        and edge.source in places
        and edge.target in joins
        and edge.target in places
    )
    found: list[tuple[int, int]] = []
    for first, last in across:
        while found and found[-1][1] < first:
            found.pop()  # it is beside the others
        if not found or (
            last < found[-1][1] and joins[order[last]] == joins[order[found[-1][1]]]
        ):
            found.append((first, last))
    return [(order[first], order[last]) for first, last in found]


def _after(drawing: Drawing, start: str) -> set[str]:
    """The boxes that depend on a box."""
    targets: dict[str, list[str]] = {}
    for edge in drawing.edges:
        if edge.kind in ("flow", "skip"):
            targets.setdefault(edge.source, []).append(edge.target)
    found: set[str] = set()
    waiting = [start]
    while waiting:
        for name in targets.get(waiting.pop(), ()):
            if name not in found:
                found.add(name)
                waiting.append(name)
    return found
