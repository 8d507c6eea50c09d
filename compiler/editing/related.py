"""Further places of a diagnostic: those that it names, and the layers by which a network comes to its own."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.diagnostics.diagnostic import Diagnostic
from compiler.diagnostics.source import Span
from compiler.editing.survey import Survey
from compiler.ir.graph import Graph, Scope
from compiler.parse.document import Document, MappingNode, ScalarNode


def related_places(survey: Survey, one: Diagnostic) -> tuple[tuple[Span, str], ...]:
    """The places, each with what is there."""
    found = list(one.related)
    if survey.graph is not None:
        found += _uses(survey.graph, one.layers)
    return tuple(found)


def _uses(graph: Graph, layers: tuple[str, ...]) -> Iterator[tuple[Span, str]]:
    """The layers on a path through the instances of blocks, but for the last."""
    named = [one for one in graph.networks.values() if one.name in layers[:1]]
    scope: Scope | None = named[0] if named else None
    for name in layers[1:-1]:
        node = scope.nodes.get(name) if scope is not None else None
        if node is None or scope is None:
            return
        yield node.place.span(key=True), f"in {scope.name}.{name}"
        scope = node.target if isinstance(node.target, Scope) else None


def place_in(survey: Survey, one: Diagnostic) -> Span:
    """Where a file shows a diagnostic: at its place, or where it names the file that the place is in."""
    own = survey.source.file
    if one.span.file == own:
        return one.span
    root = survey.document.root
    section = root.get("import")
    for key, value in section.entries if isinstance(section, MappingNode) else ():
        if isinstance(value, ScalarNode) and one.span.file.endswith(_tail(value.text)):
            return key.span
    for name in ("extends", "network", "import"):
        if root.key(name) is not None:
            return _first(survey.document, name)
    return Span(own, 1, 1, 1, 1)


def _tail(written: str) -> str:
    """The last part of a path, which a name of the file ends with."""
    return "/" + written.rpartition("/")[2] if "/" in written else written


def _first(document: Document, name: str) -> Span:
    key = document.root.key(name)
    assert key is not None
    return key.span
