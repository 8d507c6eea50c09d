"""Compiles and draws small specs for the tests of diagrams."""

from pathlib import Path
from textwrap import dedent

from compiler import compile_spec
from compiler.diagram.draw import draw
from compiler.diagram.drawing import Box, Cluster, Drawing, Edge
from compiler.diagram.options import DiagramOptions
from compiler.ir.typed import TypedGraph

SPECS = sorted(Path("specs").glob("*.yaml"))


def typed(folder: Path, text: str) -> TypedGraph:
    """The graph of a spec, which may have errors."""
    file = folder / "net.yaml"
    file.write_text(dedent(text), encoding="utf-8")
    return compile_spec(file, strict=False).typed


def drawing(folder: Path, text: str, options: DiagramOptions | None = None) -> Drawing:
    return draw(typed(folder, text), options or DiagramOptions())


def box(drawn: Drawing, name: str) -> Box:
    (found,) = [box for box in drawn.boxes if box.caption.name == name]
    return found


def cluster(drawn: Drawing, name: str) -> Cluster:
    (found,) = [cluster for cluster in drawn.clusters if cluster.caption.name == name]
    return found


def edge(drawn: Drawing, source: str, target: str) -> Edge:
    """The edge between two boxes, by their names."""
    names = {box.id: box.caption.name for box in drawn.boxes}
    (found,) = [
        edge
        for edge in drawn.edges
        if (names[edge.source], names[edge.target]) == (source, target)
    ]
    return found


def edges(drawn: Drawing) -> set[tuple[str, str]]:
    """All edges, by the names of their boxes."""
    names = {box.id: box.caption.name for box in drawn.boxes}
    return {(names[edge.source], names[edge.target]) for edge in drawn.edges}
