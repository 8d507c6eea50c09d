"""Small specs for the tests of diagrams, and what they are compiled to."""

from pathlib import Path
from textwrap import dedent

from compiler import compile_spec
from compiler.diagram.draw import draw
from compiler.diagram.drawing import Cluster, Drawing, Edge, Node
from compiler.diagram.options import DiagramOptions
from compiler.ir.typed import TypedGraph

SPECS = sorted(Path("specs").glob("*.yaml"))


def typed(folder: Path, text: str) -> TypedGraph:
    """The graph of a spec, errors and all."""
    file = folder / "net.yaml"
    file.write_text(dedent(text), encoding="utf-8")
    return compile_spec(file, strict=False).typed


def picture(folder: Path, text: str, options: DiagramOptions | None = None) -> Drawing:
    return draw(typed(folder, text), options or DiagramOptions())


def node(drawn: Drawing, name: str) -> Node:
    (found,) = [node for node in drawn.nodes if node.text.name == name]
    return found


def cluster(drawn: Drawing, name: str) -> Cluster:
    (found,) = [cluster for cluster in drawn.clusters if cluster.text.name == name]
    return found


def edge(drawn: Drawing, source: str, target: str) -> Edge:
    """The arrow between two boxes, by their names."""
    names = {node.id: node.text.name for node in drawn.nodes}
    (found,) = [
        edge
        for edge in drawn.edges
        if (names[edge.source], names[edge.target]) == (source, target)
    ]
    return found


def arrows(drawn: Drawing) -> set[tuple[str, str]]:
    """All arrows, by the names of their boxes."""
    names = {node.id: node.text.name for node in drawn.nodes}
    return {(names[edge.source], names[edge.target]) for edge in drawn.edges}
