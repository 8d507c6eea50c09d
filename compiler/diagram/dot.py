"""A picture in the DOT language of Graphviz."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from html import escape

from compiler.diagram.families import THEMES, Paint, Theme
from compiler.diagram.picture import Cluster, Edge, Node, Picture, Text
from compiler.diagram.room import MARGIN, box_widths, title_rows
from compiler.diagram.wrapping import wrap

_FONT = "Helvetica"
_LINE = 30  # characters beside one another in a box; more take a second line
_TITLE = 56

Attributes = Mapping[str, str]


def to_dot(picture: Picture) -> str:
    """The picture as DOT; every text of the spec in it is escaped, and inert."""
    return "".join(f"{line}\n" for line in _Printer(picture).lines())


class _Printer:
    def __init__(self, picture: Picture) -> None:
        self._picture = picture
        self._theme: Theme = THEMES[picture.theme]
        self._down = picture.direction == "TB"
        self._widths = box_widths(picture)

    def lines(self) -> Iterator[str]:
        yield "digraph {"
        yield f"  graph [{_attributes(self._graph())}];"
        yield f"  node [{_attributes(self._node_defaults())}];"
        yield f"  edge [{_attributes(self._edge_defaults())}];"
        yield from self._inside("", "  ", 0)
        for edge in self._picture.edges:
            ends = f"{edge.source} -> {edge.target}"
            yield f"  {ends}{_bracketed(self._edge(edge))};"
        yield "}"

    def _graph(self) -> Attributes:
        label = _title(self._picture.title, self._theme)
        return {
            "rankdir": self._picture.direction,
            "nodesep": "0.28",
            "ranksep": "0.3" if self._down else "0.42",
            "fontname": _FONT,
            "fontcolor": self._theme.ink,
            "bgcolor": self._theme.paper,
            "compound": "true",
            "labelloc": "t",
            "labeljust": "l",
            "pad": "0.15",
            "label": label,
        }

    def _node_defaults(self) -> Attributes:
        return {
            "shape": "box",
            "style": "rounded,filled",
            "fontname": _FONT,
            "fontsize": "11",
            "fontcolor": self._theme.ink,
            "margin": "0.13,0.06",
            "height": "0.31",
        }

    def _edge_defaults(self) -> Attributes:
        floating = {"labelfloat": "true"} if self._down else {}
        return {
            "fontname": _FONT,
            "fontsize": "9",
            "fontcolor": self._theme.muted,
            "color": self._theme.line,
            "penwidth": "0.9",
            "arrowsize": "0.6",
            **floating,
        }

    def _inside(self, parent: str, indent: str, level: int) -> Iterator[str]:
        for node in self._picture.nodes:
            if node.cluster == parent:
                yield f"{indent}{node.id}{_bracketed(self._node(node))};"
        for cluster in self._picture.clusters:
            if cluster.parent == parent:
                yield f"{indent}subgraph cluster_{cluster.id} {{"
                yield f"{indent}  graph [{_attributes(self._cluster(cluster, level))}];"
                yield from self._inside(cluster.id, indent + "  ", level + 1)
                yield f"{indent}}}"

    def _cluster(self, cluster: Cluster, level: int) -> Attributes:
        theme = self._theme
        paint = theme.levels[level % len(theme.levels)]
        style = "rounded,filled,dashed" if cluster.optional else "rounded,filled"
        return {
            "style": style,
            "fillcolor": paint.fill,
            "color": theme.fault if cluster.fault else paint.border,
            "penwidth": "2" if cluster.fault else "1",
            "margin": f"{MARGIN:g}",
            "labeljust": "l",
            "labelloc": "t",
            "label": _heading(cluster.text, theme),
            "tooltip": _quoted(cluster.fault or cluster.hint),
        }

    def _node(self, node: Node) -> Attributes:
        line = {"group": node.spine} if node.spine else {}
        match node.kind:
            case "input" | "output":
                return {**_PLAIN, "label": _label(node.text, self._theme, 12), **line}
            case "port":
                return {**self._port(node), **line}
            case "join":
                return {**self._join(node), **line}
            case "elided":
                label = _html(node.text.name)
                plain = {"style": "dashed,rounded", "color": self._theme.muted}
                return {**plain, "label": f"<{label}>", **line}
        return {**self._box(node), **line}

    def _box(self, node: Node) -> Attributes:
        theme = self._theme
        paint = theme.families.get(node.family, theme.plain)
        if node.kind == "block":
            paint = theme.block
        return {
            **_painted(paint),
            "label": _label(node.text, theme, 11),
            "penwidth": "1.4" if node.learned else "0.8",
            **({"peripheries": "2"} if node.kind == "block" else {}),
            **self._width(node),
            **self._state(node),
        }

    def _width(self, node: Node) -> Attributes:
        points = self._widths.get(node.id)
        return {} if points is None else {"width": f"{points / 72:.2f}"}

    def _state(self, node: Node) -> Attributes:
        dashed = {"style": "rounded,filled,dashed"} if node.optional else {}
        tooltip = {"tooltip": _quoted(node.fault or node.hint)}
        return {**dashed, **(self._faulty() if node.fault else {}), **tooltip}

    def _faulty(self) -> Attributes:
        return {"color": self._theme.fault, "penwidth": "2.2"}

    def _join(self, node: Node) -> Attributes:
        return {
            "shape": "circle",
            **_painted(self._theme.join),
            "width": "0.25",
            "height": "0.25",
            "fixedsize": "true",
            "margin": "0",
            "fontsize": "13",
            "penwidth": "0.9",
            "label": _quoted(node.text.name),
            **({"style": "filled,dashed"} if node.optional else {"style": "filled"}),
            **(self._faulty() if node.fault else {}),
            "tooltip": _quoted(node.fault or node.hint),
        }

    def _port(self, node: Node) -> Attributes:
        if not node.text.name:
            return {
                "shape": "point",
                "width": "0.05",
                "color": self._theme.line,
                "tooltip": '" "',
            }
        return {**_PLAIN, "label": _port(node.text, self._theme)}

    def _edge(self, edge: Edge) -> Attributes:
        found: dict[str, str] = {}
        if edge.label:
            found["label"] = _quoted(f" {edge.label}")
        if edge.kind in ("tie", "loop"):
            return found | self._dashed(edge)
        if edge.spine:
            found["weight"] = "12"
        elif edge.kind == "skip":
            found |= {"weight": "1", "color": self._theme.faint}
        else:
            found["weight"] = "2"
        if self._down and edge.label and not edge.spine:
            found["labelfloat"] = "false"  # off the spine a label gets room of its own
        if edge.fault:
            red = self._theme.fault
            found |= {"color": red, "fontcolor": red, "penwidth": "1.8"}
        return found

    def _dashed(self, edge: Edge) -> Attributes:
        tie = edge.kind == "tie"
        color = self._theme.tie if tie else self._theme.badge
        return {
            "style": "dashed",
            "color": color,
            "fontcolor": color,
            "constraint": "false",
            "weight": "0",
            **({"arrowhead": "none"} if tie else {}),
        }


_PLAIN = {"shape": "plain", "style": '""', "margin": "0.05"}


def _painted(paint: Paint) -> Attributes:
    return {"fillcolor": paint.fill, "color": paint.border}


def _title(text: Text, theme: Theme) -> str:
    rows = [f'<FONT POINT-SIZE="17"><B>{_html(text.name)}</B></FONT>']
    for line in text.lines:
        rows += [_small(part, theme.muted, 10) for part in wrap(line, _TITLE, 3)]
    return _table(rows)


def _label(text: Text, theme: Theme, size: int) -> str:
    """The name in bold, the words beside it or below, the badge in its own colour."""
    below = list(text.lines)
    if len(text.name) + len(text.words) > _LINE:
        below = [*wrap(text.words, 46, 2), *below]
        text = replace(text, words="")
    rows = [_row(text, theme, size)]
    if not below:
        return f"<{rows[0]}>"
    rows += [_small(line, theme.muted, 9) for line in below]
    return _table(rows, "CENTER")


def _port(text: Text, theme: Theme) -> str:
    name = _small(text.name, theme.ink, 10)
    return f"<{name}  {_small(text.words, theme.muted, 9)}>" if text.words else f"<{name}>"


def _heading(text: Text, theme: Theme) -> str:
    """The title of a cluster, on several lines where it is long."""
    rows = title_rows(text)
    if len(rows) == 1:
        return f"<{_row(rows[0], theme, 12)}>"
    return _table([_row(row, theme, 12) for row in rows])


def _row(text: Text, theme: Theme, size: int) -> str:
    parts = []
    if text.name:
        parts.append(f'<FONT POINT-SIZE="{size}"><B>{_html(text.name)}</B></FONT>')
    if text.words:
        parts.append(_small(text.words, theme.muted, 9))
    if text.badge:
        font = f'POINT-SIZE="{size}" COLOR="{theme.badge}"'
        parts.append(f"<FONT {font}><B>{_html(text.badge)}</B></FONT>")
    return "  ".join(parts)


def _table(rows: list[str], align: str = "LEFT") -> str:
    body = "".join(f'<TR><TD ALIGN="{align}">{row}</TD></TR>' for row in rows)
    attributes = 'BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0"'
    return f"<<TABLE {attributes}>{body}</TABLE>>"


def _small(text: str, color: str, size: int) -> str:
    return f'<FONT POINT-SIZE="{size}" COLOR="{color}">{_html(text)}</FONT>'


def _html(text: str) -> str:
    return escape(text, quote=True)


def _quoted(text: str) -> str:
    r"""A string of DOT that no escape of Graphviz (`\N`, `\G`) can change."""
    inner = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{inner}"'


def _attributes(found: Attributes) -> str:
    return ", ".join(f"{key}={_value(value)}" for key, value in found.items())


def _value(value: str) -> str:
    return value if value[:1] in ('"', "<") else f'"{value}"'


def _bracketed(found: Attributes) -> str:
    return f" [{_attributes(found)}]" if found else ""
