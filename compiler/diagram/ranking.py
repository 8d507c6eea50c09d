"""Where boxes stand beyond what the arrows ask for."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.diagram.drawing import Cluster, Drawing, Edge


def order(picture: Drawing) -> list[tuple[str, str]]:
    """Pairs of boxes of one block, of which the second may not stand above the first.

    Graphviz places weights and the like as near to their users as it can. Where that is above where the spine comes
    into the block, the block, which is as high as what is in it, would have to stand aside.
    """
    flow = [edge for edge in picture.edges if edge.kind in ("flow", "skip")]
    pairs = (
        pair
        for cluster in picture.clusters
        for pair in _pairs(flow, _within(picture, cluster))
    )
    return list(dict.fromkeys(pairs))


def below_entry(picture: Drawing) -> Iterator[tuple[str, str]]:
    """Pairs of points that lead to one box: that in which the spine comes into a block, and one beside it.

    The second stands below the first: its arrow would else come in from above, over the title.
    """
    led = {edge.target for edge in picture.edges if edge.kind == "flow"}
    points = {node.id: node for node in picture.nodes if node.id in led}
    points = {name: node for name, node in points.items() if node.kind == "port"}
    entries = {
        (points[edge.source].cluster, edge.target): edge.source
        for edge in picture.edges
        if edge.source in points and edge.spine
    }
    for edge in picture.edges:
        beside = points.get(edge.source)
        if beside is not None and not beside.spine:
            entry = entries.get((beside.cluster, edge.target))
            if entry is not None:
                yield entry, beside.id


def leads(picture: Drawing, tie: Edge) -> bool:
    """Whether arrows lead from one end of a tie to the other, so that it stands below anyway.

    Lines that take part in the layout go round blocks, others may go across.
    """
    flow = [edge for edge in picture.edges if edge.kind in ("flow", "skip")]
    names = [node.id for node in picture.nodes]
    return tie.target in _distances(flow, names, tie.source)


def titled_right(picture: Drawing) -> set[str]:
    """The clusters whose title stands at the right, because arrows come in from the left.

    Graphviz sets blocks side by side in their order, and one beside plain layers at the left of these.
    """
    found: set[str] = set()
    for cluster in picture.clusters:
        inside = set(_within(picture, cluster))
        coming = [
            edge
            for edge in picture.edges
            if edge.target in inside and edge.source not in inside
        ]
        straight = any(edge.spine for edge in coming)
        if any(
            _aside(picture, cluster, edge)
            if straight
            else _after_spine(picture, cluster, edge)
            for edge in coming
            if not edge.spine
        ):
            found.add(cluster.id)
    return found


def _after_spine(picture: Drawing, cluster: Cluster, edge: Edge) -> bool:
    """Whether the spine goes on from an arrow's box into a block that comes before this one."""
    places = {node.id: at for at, node in enumerate(picture.nodes)}
    return any(
        ahead.source == edge.source
        and picture.nodes[places[ahead.target]].cluster not in ("", cluster.parent)
        and places[ahead.target] < places[edge.target]
        for ahead in picture.edges
        if ahead.spine
    )


def _aside(picture: Drawing, cluster: Cluster, edge: Edge) -> bool:
    """Whether an arrow comes out of a block that stands beside plain layers of the spine."""
    homes = {node.id: node.cluster for node in picture.nodes}
    beside = homes[edge.source]
    siblings = {c.id for c in picture.clusters if c.parent == cluster.parent}
    return beside in siblings - {cluster.id} and not any(
        into.spine and homes[into.target] == beside != homes[into.source]
        for into in picture.edges
    )


def _pairs(flow: list[Edge], within: list[str]) -> Iterator[tuple[str, str]]:
    inside = set(within)
    inner = [edge for edge in flow if {edge.source, edge.target} <= inside]
    fed = {edge.target for edge in inner}
    for entry in sorted(_entries(flow, inside) - fed):
        below = _distances(inner, within, entry)
        for root in within:
            reached = _distances(inner, within, root).items() if root not in fed else ()
            if any(below.get(name, far) < far for name, far in reached):
                yield entry, root


def _entries(flow: list[Edge], inside: set[str]) -> set[str]:
    """The boxes in which the spine comes into a block."""
    return {
        edge.target
        for edge in flow
        if edge.spine and edge.target in inside and edge.source not in inside
    }


def _distances(inner: list[Edge], within: list[str], start: str) -> dict[str, int]:
    """How far below a box others stand at least."""
    below: dict[str, list[str]] = {}
    for edge in inner:
        below.setdefault(edge.source, []).append(edge.target)
    found = {start: 0}
    for name in within:  # what leads to a box comes before it
        for target in below.get(name, ()) if name in found else ():
            found[target] = max(found.get(target, 0), found[name] + 1)
    return found


def _within(picture: Drawing, cluster: Cluster) -> list[str]:
    """The boxes in a cluster, those of clusters in it too."""
    inside = {cluster.id}
    for other in picture.clusters:  # outer ones come first
        if other.parent in inside:
            inside.add(other.id)
    return [node.id for node in picture.nodes if node.cluster in inside]
