"""Types of what comes into a block from the side: they stand at its points, not at the arrows."""

from __future__ import annotations

from dataclasses import replace

from compiler.diagram.drawing import Caption, Drawing, Edge, Node
from compiler.diagram.wrapping import note


def type_points(picture: Drawing) -> Drawing:
    """The picture with the types of side arrows below the names of the points that these lead to.

    At such an arrow a type would lie on the border of the block, and the arrow be longer for it.
    """
    bare = {node.id for node in picture.nodes if _has_room(node)}
    moved = {edge for edge in picture.edges if edge.target in bare and _moves(edge)}
    types = {e.target: tuple(note(e.label)) for e in picture.edges if e in moved}
    return replace(
        picture,
        nodes=tuple(
            replace(node, text=Caption(node.text.name, lines=types[node.id]))
            if node.id in types
            else node
            for node in picture.nodes
        ),
        edges=tuple(
            replace(edge, label="") if edge in moved else edge for edge in picture.edges
        ),
    )


def _has_room(node: Node) -> bool:
    """Whether a point is named, beside the spine, and says no other words."""
    named = node.kind == "port" and node.text.name != ""
    return named and not node.spine and not node.text.words


def _moves(edge: Edge) -> bool:
    """Whether an arrow from the side says a type and nothing else."""
    alone = edge.label.endswith("]") and ": " not in edge.label
    plain = edge.kind == "flow" and not edge.spine and not edge.fault
    return alone and plain
