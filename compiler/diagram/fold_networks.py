"""Networks as boxes, each between its inputs and outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from compiler.diagram.drawing import Box, Caption, Cluster, Drawing, Edge


def fold_networks(drawing: Drawing, sizes: Mapping[str, str]) -> Drawing:
    """Put all layers of each network into one box.

    An input that another network gives is an arrow from there.

    Args:
        sizes: what is said of each network below its name.
    """
    networks = {one.id: one for one in drawing.clusters if one.is_network}
    homes = _homes(drawing)
    inside: dict[str, list[Box]] = {name: [] for name in networks}
    met = {edge.target for edge in drawing.edges if edge.kind == "meet"}
    moved: dict[str, str] = {}
    for box in drawing.boxes:
        home = homes[box.cluster]
        if home and (box.kind not in ("input", "output") or box.id in met):
            inside[home].append(box)
            moved[box.id] = home
    boxes: list[Box] = []
    for box in drawing.boxes:
        home = moved.get(box.id, "")
        if not home:
            boxes.append(replace(box, cluster="", main_path=""))
        elif box is inside[home][-1]:  # after its inputs
            size = sizes.get(networks[home].path[0], "")
            boxes.append(_folded(networks[home], inside[home], size))
    edges = (
        replace(
            edge,
            source=moved.get(edge.source, edge.source),
            target=moved.get(edge.target, edge.target),
        )
        for edge in drawing.edges
    )
    return replace(
        drawing,
        boxes=tuple(boxes),
        clusters=(),
        edges=tuple(dict.fromkeys(map(_plain, filter(_is_seen, edges)))),
    )


def _homes(drawing: Drawing) -> Mapping[str, str]:
    """The network around each cluster."""
    homes = {"": ""}
    for cluster in drawing.clusters:  # outer clusters come first
        homes[cluster.id] = cluster.id if cluster.is_network else homes[cluster.parent]
    return homes


def _folded(network: Cluster, layers: list[Box], size: str) -> Box:
    return Box(
        network.id,
        "block",
        Caption(network.caption.name, size),
        block=network.caption.name,
        has_weights=any(box.has_weights for box in layers),
        error=next((box.error for box in layers if box.error), ""),
        tooltip=network.tooltip,
        path=network.path,
        holds=tuple(path for box in layers for path in (box.path, *box.holds)),
        place=network.place,
    )


def _is_seen(edge: Edge) -> bool:
    return edge.source != edge.target and edge.kind != "order"


def _plain(edge: Edge) -> Edge:
    """An arrow that says only where it leads and what is wrong."""
    kind = edge.kind if edge.kind in ("meet", "tie") else "flow"
    return Edge(edge.source, edge.target, kind=kind, has_error=edge.has_error)
