"""Constraints on the layout beyond the edges: which box stands below which, and on which side titles stand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from compiler.diagram.drawing import Box, Cluster, Drawing, Edge

_MAX_ALIKE = 4  # boxes that are kept beside each other


def rank_constraints(drawing: Drawing) -> list[tuple[str, str]]:
    """Pairs of boxes in one cluster; the second must not stand above the first.

    Graphviz places weights and other sources as near to their users as possible. If that is above the box at which
    the main path enters the cluster, the whole cluster has to move aside.
    """
    flow = [edge for edge in drawing.edges if edge.kind in ("flow", "skip")]
    pairs = (
        pair
        for cluster in drawing.clusters
        for pair in _sources_above_entry(flow, _boxes_in(drawing, cluster))
    )
    return list(dict.fromkeys(pairs))


def boxes_alike(drawing: Drawing) -> list[list[Box]]:
    """Boxes that belong beside each other, in the order of the spec: those of query, key and value.

    They are of the same op or block in the same cluster, and take what the same boxes or the inputs of the cluster
    give; or each takes what one of such boxes gives.
    """
    boxes = {box.id: box for box in drawing.boxes}
    sources: dict[str, dict[str, None]] = {}
    before: dict[str, list[str]] = {}
    for edge in drawing.edges:
        if edge.kind in ("flow", "skip"):
            source = boxes[edge.source]
            given = source.id
            if source.kind == "port" and source.cluster:
                given = source.cluster
            sources.setdefault(edge.target, {})[given] = None
            before.setdefault(edge.target, []).append(edge.source)
    depths = _depths(drawing, before)
    alike: dict[tuple[str, str, object], list[Box]] = {}
    rows: dict[str, list[Box]] = {}
    places: dict[str, int] = {}
    for box in sorted(drawing.boxes, key=lambda box: depths[box.id]):
        if box.kind not in ("layer", "block") or box.id not in sources:
            continue
        above = [one for one in sources[box.id] if one in places]
        key: object = frozenset(sources[box.id])
        follows = len(above) == 1 and len(rows[above[0]]) > 1
        if follows:
            key = id(rows[above[0]])
        runs = box.op or box.block or box.id
        row = alike.setdefault((box.cluster, runs, key), [])
        row.append(box)
        rows[box.id] = row
        places[box.id] = places[above[0]] if follows else len(row)
    found = [sorted(row, key=lambda box: places[box.id]) for row in alike.values()]
    return [row for row in found if 1 < len(row) <= _MAX_ALIKE and _apart(row, places)]


def entries_from_left(drawing: Drawing) -> list[list[Box]]:
    """Entry points that another part of the picture feeds, each with the box of the main path that is at its right."""
    flow = [edge for edge in drawing.edges if edge.kind in ("flow", "skip")]
    fed = {edge.target for edge in flow}
    boxes = {box.id: box for box in drawing.boxes}
    before = {edge.target: edge.source for edge in flow if edge.on_main_path}
    rows: dict[str, list[Box]] = {}
    for edge in flow:
        point = boxes[edge.source]
        beside = before.get(edge.target)
        entered = point.kind == "port" and not (point.main_path or point.id in fed)
        if entered and beside and boxes[beside].cluster == point.cluster:
            rows.setdefault(beside, []).append(point)
    return [[*dict.fromkeys(points), boxes[beside]] for beside, points in rows.items()]


def _depths(drawing: Drawing, before: Mapping[str, list[str]]) -> dict[str, int]:
    """How many boxes are on the longest path to each box; what feeds a box is before it."""
    found: dict[str, int] = {}
    for box in drawing.boxes:
        above = (found.get(source, 0) for source in before.get(box.id, ()))
        found[box.id] = 1 + max(above, default=0)
    return found


def _apart(row: list[Box], places: Mapping[str, int]) -> bool:
    """Whether boxes have places of their own beside each other."""
    return len({places[box.id] for box in row}) == len(row)


def exit_rank_constraints(drawing: Drawing) -> Iterator[tuple[str, str]]:
    """Pairs of a box whose value goes to the next copy, and a box that takes what leaves the last copy.

    The second must stand below the first: beside the repeat, it would make the repeat seem to end in the middle.
    """
    flow = [edge for edge in drawing.edges if edge.kind in ("flow", "skip")]
    parents = {cluster.id: cluster.parent for cluster in drawing.clusters}
    clusters = {box.id: box.cluster for box in drawing.boxes}
    ends: dict[str, dict[str, None]] = {}
    for edge in drawing.edges:
        if edge.kind == "loop":
            around = _around(parents, clusters[edge.source])
            repeat = next(
                one for one in _around(parents, clusters[edge.target]) if one in around
            )
            ends.setdefault(repeat, {})[edge.source] = None
    for cluster in drawing.clusters:
        if cluster.id in ends:
            names = _boxes_in(drawing, cluster)
            inside = set(names)
            leaving = [
                edge
                for edge in flow
                if edge.source in inside and edge.target not in inside
            ]
            exits = {edge.source for edge in leaving}
            inner = [edge for edge in flow if edge.target in inside]
            for source in ends[cluster.id]:
                if exits.isdisjoint(_distances(inner, names, source)):
                    yield from ((source, edge.target) for edge in leaving)


def _around(parents: Mapping[str, str], cluster: str) -> list[str]:
    """The clusters around a box, innermost first; the last is "", the whole drawing."""
    found = [cluster]
    while found[-1]:
        found.append(parents[found[-1]])
    return found


def entry_rank_constraints(drawing: Drawing) -> Iterator[tuple[str, str]]:
    """Pairs of entry points that lead to one box; the second, beside the main path, must stand below the first.

    Otherwise its edge would come in from above, over the title.
    """
    reached = {edge.target for edge in drawing.edges if edge.kind == "flow"}
    points = {
        box.id: box for box in drawing.boxes if box.kind == "port" and box.id in reached
    }
    entries = {
        (points[edge.source].cluster, edge.target): edge.source
        for edge in drawing.edges
        if edge.source in points and edge.on_main_path
    }
    for edge in drawing.edges:
        beside = points.get(edge.source)
        if beside is not None and not beside.main_path:
            entry = entries.get((beside.cluster, edge.target))
            if entry is not None:
                yield entry, beside.id


def is_ordered_by_edges(drawing: Drawing, tie: Edge) -> bool:
    """Whether other edges lead from the source of a tie to its target.

    Such a tie may take part in the layout, which routes it around blocks, without moving any box.
    """
    flow = [edge for edge in drawing.edges if edge.kind in ("flow", "skip")]
    names = [box.id for box in drawing.boxes]
    return tie.target in _distances(flow, names, tie.source)


def right_aligned_titles(drawing: Drawing) -> set[str]:
    """The ids of clusters whose title stands at the right, because edges enter from the left.

    Graphviz places clusters side by side in their order, and a cluster beside plain boxes at the left of these.
    """
    found: set[str] = set()
    for cluster in drawing.clusters:
        inside = set(_boxes_in(drawing, cluster))
        entering = [
            edge
            for edge in drawing.edges
            if edge.target in inside and edge.source not in inside
        ]
        has_main_path = any(edge.on_main_path for edge in entering)
        if any(
            _from_cluster_beside(drawing, cluster, edge)
            if has_main_path
            else _from_before_main_path(drawing, cluster, edge)
            for edge in entering
            if not edge.on_main_path
        ):
            found.add(cluster.id)
    return found


def _from_before_main_path(drawing: Drawing, cluster: Cluster, edge: Edge) -> bool:
    """Whether the main path goes on from the edge's source into another cluster, which comes before this one."""
    index = {box.id: at for at, box in enumerate(drawing.boxes)}
    return any(
        ahead.source == edge.source
        and drawing.boxes[index[ahead.target]].cluster not in ("", cluster.parent)
        and index[ahead.target] < index[edge.target]
        for ahead in drawing.edges
        if ahead.on_main_path
    )


def _from_cluster_beside(drawing: Drawing, cluster: Cluster, edge: Edge) -> bool:
    """Whether an edge comes out of a cluster that stands beside plain boxes of the main path."""
    clusters = {box.id: box.cluster for box in drawing.boxes}
    beside = clusters[edge.source]
    siblings = {c.id for c in drawing.clusters if c.parent == cluster.parent}
    return beside in siblings - {cluster.id} and not any(
        into.on_main_path and clusters[into.target] == beside != clusters[into.source]
        for into in drawing.edges
    )


def _sources_above_entry(
    flow: list[Edge], names: list[str]
) -> Iterator[tuple[str, str]]:
    """Pairs of a cluster's entry and a source box in it that could stand above the entry."""
    inside = set(names)
    inner = [edge for edge in flow if {edge.source, edge.target} <= inside]
    reached = {edge.target for edge in inner}
    for entry in sorted(_entries(flow, inside) - reached):
        below = _distances(inner, names, entry)
        for source in names:
            if source in reached:
                continue
            others = _distances(inner, names, source).items()
            if any(below.get(name, depth) < depth for name, depth in others):
                yield entry, source


def _entries(flow: list[Edge], inside: set[str]) -> set[str]:
    """The boxes at which the main path enters a cluster."""
    return {
        edge.target
        for edge in flow
        if edge.on_main_path and edge.target in inside and edge.source not in inside
    }


def _distances(edges: list[Edge], names: list[str], start: str) -> dict[str, int]:
    """The length of the longest path from one box to each box that it reaches; `names` are in topological order."""
    targets: dict[str, list[str]] = {}
    for edge in edges:
        targets.setdefault(edge.source, []).append(edge.target)
    found = {start: 0}
    for name in names:
        for target in targets.get(name, ()) if name in found else ():
            found[target] = max(found.get(target, 0), found[name] + 1)
    return found


def _boxes_in(drawing: Drawing, cluster: Cluster) -> list[str]:
    """The ids of the boxes in a cluster, at any depth."""
    inside = {cluster.id}
    for other in drawing.clusters:  # outer clusters come first
        if other.parent in inside:
            inside.add(other.id)
    return [box.id for box in drawing.boxes if box.cluster in inside]
