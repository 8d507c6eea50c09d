"""A picture in the DOT language of Graphviz."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from graphviz import Digraph, nohtml

from compiler.diagram import labels
from compiler.diagram.box_sizing import MARGIN, box_widths
from compiler.diagram.drawing import Cluster, Drawing, Edge, Node
from compiler.diagram.families import THEMES, Paint, Theme
from compiler.diagram.ranking import below_entry, leads, order, titled_right
from compiler.diagram.wrapping import note

_FONT = "Helvetica"

Attributes = Mapping[str, str]


def to_dot(picture: Drawing) -> str:
    """The picture as DOT; every text of the spec in it is escaped, and inert."""
    source: str = _Printer(picture).graph().source
    return source


class _Printer:
    def __init__(self, picture: Drawing) -> None:
        self._picture = picture
        self._theme: Theme = THEMES[picture.theme]
        self._down = picture.direction == "TB"
        self._widths = box_widths(picture)
        self._right = titled_right(picture)
        self._nodes = {node.id: node for node in picture.nodes}
        self._coming = Counter(edge.target for edge in picture.edges)
        self._going = Counter(edge.source for edge in picture.edges)

    def graph(self) -> Digraph:
        """The whole graph: boxes in their clusters, then what goes between them."""
        graph = Digraph(
            graph_attr=self._graph(),
            node_attr=self._node_defaults(),
            edge_attr=self._edge_defaults(),
        )
        self._fill(graph, "", 0)
        for edge in self._picture.edges:
            graph.edge(edge.source, edge.target, **self._edge(edge))
        for above, below in order(self._picture):
            graph.edge(above, below, **_BELOW)
        for above, below in below_entry(self._picture):
            graph.edge(above, below, **_BELOW | {"minlen": "1"})
        return graph

    def _fill(self, graph: Digraph, parent: str, level: int) -> None:
        for node in self._picture.nodes:
            if node.cluster == parent:
                graph.node(node.id, **self._node(node))
        for cluster in self._picture.clusters:
            if cluster.parent == parent:
                drawn = self._cluster(cluster, level)
                with graph.subgraph(
                    name=f"cluster_{cluster.id}", graph_attr=drawn
                ) as inner:
                    self._fill(inner, cluster.id, level + 1)

    def _graph(self) -> Attributes:
        label = labels.title(self._picture.title, self._theme)
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
            "labeljust": "r" if cluster.id in self._right else "l",
            "labelloc": "t",
            "label": labels.heading(cluster.text, theme),
            "tooltip": _tooltip(cluster.fault or cluster.hint),
        }

    def _node(self, node: Node) -> Attributes:
        line = {"group": node.spine} if node.spine else {}
        return {
            **self._shape(node),
            "tooltip": _tooltip(node.fault or node.hint),
            **line,
        }

    def _shape(self, node: Node) -> Attributes:
        match node.kind:
            case "input" | "output":
                return {**_PLAIN, "label": labels.label(node.text, self._theme, 12)}
            case "port" if node.text.name:
                name = labels.port(node.text, self._theme)
                return {**_PLAIN, "label": name, **self._width(node)}
            case "port" if node.id in self._widths:
                return {**_GAP, **self._width(node)}
            case "port":
                return {"shape": "point", "width": "0.05", "color": self._theme.line}
            case "join":
                return self._join(node)
            case "elided":
                return {
                    "label": _quoted(node.text.name),
                    "style": "rounded,dashed",
                    "color": self._theme.muted,
                }
        return self._box(node)

    def _box(self, node: Node) -> Attributes:
        theme = self._theme
        paint = theme.families.get(node.family, theme.plain)
        if node.kind == "block":
            paint = theme.block
        return {
            **_painted(paint),
            "label": labels.label(node.text, theme, 11),
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
        return {**dashed, **(self._faulty() if node.fault else {})}

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
        }

    def _edge(self, edge: Edge) -> Attributes:
        found = {"tooltip": _tooltip(edge.label)}
        if edge.label:
            found["label"] = _note(edge.label)
        if edge.kind in ("tie", "loop"):
            return found | self._dashed(edge)
        if edge.spine:
            found |= {"weight": "12", "class": "spine"}
        elif edge.kind == "skip":
            found |= {"weight": "1", "color": self._theme.faint}
        else:
            found["weight"] = "2"
        if self._down and edge.label and not self._floats(edge):
            found["labelfloat"] = "false"
        if edge.label and self._leaves(edge):
            found["minlen"] = "2"  # else its words lie on the border
        if edge.fault:
            red = self._theme.fault
            found |= {"color": red, "fontcolor": red, "penwidth": "1.8"}
        return found

    def _floats(self, edge: Edge) -> bool:
        """Whether words take no room of their own: on one line beside the spine, a word where other arrows come in."""
        if not edge.spine or len(note(edge.label)) > 1:
            return False
        alone = self._coming[edge.target] == self._going[edge.source] == 1
        return alone or len(edge.label) <= _WORD

    def _leaves(self, edge: Edge) -> bool:
        """Whether an arrow leads from beside a spine out of a block, to an output below."""
        source, target = self._nodes[edge.source], self._nodes[edge.target]
        out = target.kind == "output" and source.cluster != target.cluster
        return out and not edge.spine

    def _dashed(self, edge: Edge) -> dict[str, str]:
        tie = edge.kind == "tie"
        color = self._theme.tie if tie else self._theme.badge
        return {
            "style": "dashed",
            "color": color,
            "fontcolor": color,
            "weight": "0",
            **({} if tie and leads(self._picture, edge) else {"constraint": "false"}),
            **({"arrowhead": "none"} if tie else {}),
        }


_BELOW = {"style": "invis", "minlen": "0", "weight": "0"}
_WORD = 9  # characters that stay clear of an arrow from the side
_ASIDE = "  "  # between an arrow and its words: wider than half of its head
_GAP = {
    "shape": "box",
    "style": "",
    "color": "none",
    "fixedsize": "true",
    "height": "0.05",
    "fontsize": "11",
    "label": "•",
}
_PLAIN = {
    "shape": "box",
    "style": "",
    "color": "none",
    "margin": "0.05,0.02",
    "height": "0.2",
    "width": "0.1",
}


def _note(text: str) -> str:
    """The words at an arrow, a little to the right of it; what is on two lines begins at the left."""
    lines = [_quoted(f"{_ASIDE}{line}") for line in note(text)]
    return lines[0] if len(lines) == 1 else "".join(f"{line}\\l" for line in lines)


def _painted(paint: Paint) -> Attributes:
    return {"fillcolor": paint.fill, "color": paint.border}


def _quoted(text: str) -> str:
    """Plain text, also where it looks like the markup of a label."""
    plain: str = nohtml(labels.inert(text))
    return plain


def _tooltip(text: str) -> str:
    """A tooltip; empty ones show a blank, for else Graphviz would show the label's source."""
    return _quoted(
        text.replace("\\", "\\\\") or " "
    )  # read twice, it loses two of four
