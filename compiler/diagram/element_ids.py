"""The ids of the parts of an SVG file: the paths of layers, so that a link or a script can name them."""

from __future__ import annotations

from collections.abc import Mapping

from compiler.diagram.drawing import Box, Cluster, Drawing


def element_ids(drawing: Drawing) -> Mapping[str, str]:
    """The id of each box and cluster: `GPT2.h.attn`; of an output of a network, `GPT2.logits.output`.

    What stands for several layers has the id of what is around it, and `more`. Where two would be equal, the second
    ends in a number.
    """
    clusters = {one.id: _dotted(one.path, drawing) for one in drawing.clusters}
    found: dict[str, str] = {}
    seen: dict[str, int] = {}
    items: list[Box | Cluster] = [*drawing.clusters, *drawing.boxes]
    for item in items:
        name = _dotted(item.path, drawing)
        if isinstance(item, Box):
            if item.kind == "output":
                name += ".output"
            name = name or ".".join(filter(None, (clusters.get(item.cluster), "more")))
        number = seen[name] = seen.get(name, 0) + 1
        found[item.id] = name if number == 1 else f"{name}-{number}"
    return found


def _dotted(path: tuple[str, ...], drawing: Drawing) -> str:
    """A path, from the name of the network, or the spec's if the network has none."""
    return ".".join((path[0] or drawing.title.name, *path[1:])) if path else ""
