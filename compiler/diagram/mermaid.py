"""Drawing -> Mermaid, which GitHub renders in Markdown."""

from __future__ import annotations

import json
from collections.abc import Iterator

from compiler.diagram.drawing import Box, Caption, Cluster, Drawing, Edge
from compiler.diagram.themes import Paint, Theme, family_paint, theme_of

_PLAIN = frozenset(" .,:;…·→×‖_-−/+÷=()[]{}!?*'")
_ARROWS = {"tie": "-.-", "loop": "-.->", "meet": "-.->", "order": "~~~"}


def to_mermaid(drawing: Drawing) -> str:
    """Print a drawing as a Mermaid flowchart; all text from the spec is escaped."""
    return "".join(f"{line}\n" for line in _lines(drawing))


def _lines(drawing: Drawing) -> Iterator[str]:
    theme = theme_of(drawing.theme)
    title = _yaml(drawing.title.one_line)
    yield f"---\ntitle: {title}\n---"
    yield f"flowchart {drawing.direction}"
    yield from _inside(drawing, "", "  ")
    for edge in drawing.edges:
        yield f"  {_edge(edge)}"
    yield from _classes(drawing, theme)
    for number, edge in enumerate(drawing.edges):
        if edge.has_error:
            yield f"  linkStyle {number} stroke:{theme.fault},stroke-width:2px"


def _inside(drawing: Drawing, parent: str, indent: str) -> Iterator[str]:
    for box in drawing.boxes:
        if box.cluster == parent:
            yield f"{indent}{_box(box)}"
    for cluster in drawing.clusters:
        if cluster.parent == parent:
            yield f"{indent}subgraph {cluster.id} [{_label(cluster.caption)}]"
            yield from _inside(drawing, cluster.id, indent + "  ")
            yield f"{indent}end"


def _box(box: Box) -> str:
    label = _label(box.caption)
    match box.kind:
        case "join":
            return f"{box.id}(({label}))"
        case "port":
            return f"{box.id}({label})" if box.caption.name else f'{box.id}((" "))'
        case "input" | "output":
            return f"{box.id}([{label}])"
        case "block":
            return f"{box.id}[[{label}]]"
    return f"{box.id}({label})"


def _edge(edge: Edge) -> str:
    arrow = _ARROWS.get(edge.kind, "-.->" if edge.optional else "-->")
    label = f"|{_quoted(edge.label)}|" if edge.label else ""
    return f"{edge.source} {arrow}{label} {edge.target}"


def _classes(drawing: Drawing, theme: Theme) -> Iterator[str]:
    groups: dict[str, list[str]] = {}
    for box in drawing.boxes:
        groups.setdefault(_class(box, theme), []).append(box.id)
    for name in sorted(groups):
        yield f"  classDef {name} {_style(_paint(name, theme), theme)}"
        yield f"  class {','.join(groups[name])} {name}"
    items: list[Box | Cluster] = [*drawing.boxes, *drawing.clusters]
    for item in items:
        if state := _state(item, theme):
            yield f"  style {item.id} {state}"


def _class(box: Box, theme: Theme) -> str:
    if box.kind == "layer":
        return box.family if family_paint(box.family, theme) else "plain"
    return box.kind


def _paint(name: str, theme: Theme) -> Paint:
    if name in ("input", "output", "port"):
        return Paint(theme.paper, theme.faint)
    return {"block": theme.block, "join": theme.join}.get(
        name, family_paint(name, theme) or theme.plain
    )


def _style(paint: Paint, theme: Theme) -> str:
    return f"fill:{paint.fill},stroke:{paint.border},color:{paint.ink or theme.ink}"


def _state(item: Box | Cluster, theme: Theme) -> str:
    parts = []
    if item.error:
        parts.append(f"stroke:{theme.fault},stroke-width:3px")
    if item.optional:
        parts.append("stroke-dasharray:4 3")
    return ",".join(parts)


def _label(caption: Caption) -> str:
    head = f"<b>{_escaped(caption.name)}</b>" if caption.name else ""
    parts = [head, _escaped(caption.detail), _escaped(caption.badge)]
    first = " ".join(part for part in parts if part)
    return f'"{"<br/>".join([first, *map(_escaped, caption.lines)])}"'


def _quoted(text: str) -> str:
    return f'"{_escaped(text)}"'


def _escaped(text: str) -> str:
    """Text without markup of Mermaid, Markdown or HTML."""
    return "".join(
        char if char.isalnum() or char in _PLAIN else f"#{ord(char)};" for char in text
    )


def _yaml(text: str) -> str:
    """A YAML string without HTML tags."""
    quoted = json.dumps(text, ensure_ascii=False)
    for char in "<>&":
        quoted = quoted.replace(char, f"\\u{ord(char):04x}")
    return quoted
