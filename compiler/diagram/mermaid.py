"""A picture in the language of Mermaid, which GitHub draws in Markdown."""

from __future__ import annotations

import json
from collections.abc import Iterator

from compiler.diagram.drawing import Caption, Cluster, Drawing, Edge, Node
from compiler.diagram.families import THEMES, Paint, Theme

_PLAIN = frozenset(" .,:;…·→×‖_-−/+÷=()[]{}!?*'")
_ARROWS = {"tie": "-.-", "loop": "-.->"}


def to_mermaid(picture: Drawing) -> str:
    """The picture as a Mermaid flowchart; every text of the spec in it is escaped."""
    return "".join(f"{line}\n" for line in _lines(picture))


def _lines(picture: Drawing) -> Iterator[str]:
    theme = THEMES[picture.theme]
    title = _yaml(picture.title.plain)
    yield f"---\ntitle: {title}\n---"
    yield f"flowchart {picture.direction}"
    yield from _inside(picture, "", "  ")
    for edge in picture.edges:
        yield f"  {_edge(edge)}"
    yield from _classes(picture, theme)
    for number, edge in enumerate(picture.edges):
        if edge.fault:
            yield f"  linkStyle {number} stroke:{theme.fault},stroke-width:2px"


def _inside(picture: Drawing, parent: str, indent: str) -> Iterator[str]:
    for node in picture.nodes:
        if node.cluster == parent:
            yield f"{indent}{_node(node)}"
    for cluster in picture.clusters:
        if cluster.parent == parent:
            yield f"{indent}subgraph {cluster.id} [{_label(cluster.text)}]"
            yield from _inside(picture, cluster.id, indent + "  ")
            yield f"{indent}end"


def _node(node: Node) -> str:
    label = _label(node.text)
    match node.kind:
        case "join":
            return f"{node.id}(({label}))"
        case "port":
            return f"{node.id}({label})" if node.text.name else f'{node.id}((" "))'
        case "input" | "output":
            return f"{node.id}([{label}])"
        case "block":
            return f"{node.id}[[{label}]]"
    return f"{node.id}({label})"


def _edge(edge: Edge) -> str:
    arrow = _ARROWS.get(edge.kind, "-->")
    label = f"|{_quoted(edge.label)}|" if edge.label else ""
    return f"{edge.source} {arrow}{label} {edge.target}"


def _classes(picture: Drawing, theme: Theme) -> Iterator[str]:
    groups: dict[str, list[str]] = {}
    for node in picture.nodes:
        groups.setdefault(_class(node, theme), []).append(node.id)
    for name in sorted(groups):
        yield f"  classDef {name} {_style(_paint(name, theme), theme)}"
        yield f"  class {','.join(groups[name])} {name}"
    items: list[Node | Cluster] = [*picture.nodes, *picture.clusters]
    for item in items:
        if state := _state(item, theme):
            yield f"  style {item.id} {state}"


def _class(node: Node, theme: Theme) -> str:
    if node.kind == "layer":
        return node.family if node.family in theme.families else "plain"
    return node.kind


def _paint(name: str, theme: Theme) -> Paint:
    if name in ("input", "output", "port"):
        return Paint(theme.paper, theme.faint)
    return {"block": theme.block, "join": theme.join}.get(
        name, theme.families.get(name, theme.plain)
    )


def _style(paint: Paint, theme: Theme) -> str:
    return f"fill:{paint.fill},stroke:{paint.border},color:{theme.ink}"


def _state(item: Node | Cluster, theme: Theme) -> str:
    parts = []
    if item.fault:
        parts.append(f"stroke:{theme.fault},stroke-width:3px")
    if item.optional:
        parts.append("stroke-dasharray:4 3")
    return ",".join(parts)


def _label(text: Caption) -> str:
    head = f"<b>{_escaped(text.name)}</b>" if text.name else ""
    parts = [head, _escaped(text.words), _escaped(text.badge)]
    first = " ".join(part for part in parts if part)
    return f'"{"<br/>".join([first, *map(_escaped, text.lines)])}"'


def _quoted(text: str) -> str:
    return f'"{_escaped(text)}"'


def _escaped(text: str) -> str:
    """Text in which Mermaid, Markdown and HTML find nothing to do."""
    return "".join(
        char if char.isalnum() or char in _PLAIN else f"#{ord(char)};" for char in text
    )


def _yaml(text: str) -> str:
    """A string of YAML that holds no tag of HTML either."""
    quoted = json.dumps(text, ensure_ascii=False)
    for char in "<>&":
        quoted = quoted.replace(char, f"\\u{ord(char):04x}")
    return quoted
