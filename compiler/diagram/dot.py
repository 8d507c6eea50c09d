"""Drawing -> DOT, the language of Graphviz."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise

from graphviz import Digraph, nohtml

from compiler.diagram import labels
from compiler.diagram.box_sizing import MARGIN, box_widths
from compiler.diagram.drawing import Box, Cluster, Drawing, Edge, Room
from compiler.diagram.element_ids import element_ids
from compiler.diagram.links import link_to
from compiler.diagram.positions import Attributes, Layout
from compiler.diagram.ranking import (
    boxes_alike,
    entries_from_left,
    entry_rank_constraints,
    exit_rank_constraints,
    is_ordered_by_edges,
    rank_constraints,
    right_aligned_titles,
)
from compiler.diagram.themes import Paint, Theme, family_paint, theme_of
from compiler.diagram.u_shape import folded_up, u_shape
from compiler.diagram.wrapping import edge_lines, wrap_edge_label

PAGE_HEIGHT = 240 * 72 / 25.4
"""Points from top to bottom of a figure: 240 mm, the text of an A4 page."""
STACKED = 3.0
"""Points by which copies side by side are behind each other, to the right and up."""
_FONT = "Helvetica"
_BESIDE: Mapping[Room, str] = {"ample": "0.28", "narrow": "0.16", "tight": "0.12"}
"""Inches between boxes beside each other."""
_MANY_EDGES = 250
_COARSE = {"splines": "line", "mclimit": "0.1", "nslimit": "0.1", "nslimit1": "0.1"}
"""For drawings of so many edges: straight ones, and fewer rounds of layout. It takes a tenth of the time."""


def to_dot(drawing: Drawing, positions: Layout | None = None) -> str:
    """Print a drawing as DOT; all text from the spec is escaped.

    Args:
        positions: where all stands, for a drawing that is laid out.
    """
    source: str = _DotPrinter(drawing, positions).graph().source
    return source


class _DotPrinter:
    def __init__(self, drawing: Drawing, positions: Layout | None) -> None:
        self._u = u_shape(drawing)
        if self._u is not None:
            drawing = folded_up(drawing, self._u)
        self._drawing, self._positions = drawing, positions
        self._theme: Theme = theme_of(drawing.theme)
        self._down = drawing.direction == "TB"
        self._room = drawing.room
        self._widths = box_widths(drawing)
        self._ids = element_ids(drawing)
        self._rows = [*boxes_alike(drawing), *entries_from_left(drawing)]
        self._right_aligned = right_aligned_titles(drawing)
        self._boxes = {box.id: box for box in drawing.boxes}
        self._incoming = Counter(edge.target for edge in drawing.edges)
        self._outgoing = Counter(edge.source for edge in drawing.edges)
        self._entries = list(entry_rank_constraints(drawing))
        self._above_another = {entry for entry, _ in self._entries}

    def graph(self) -> Digraph:
        """The whole graph: boxes in their clusters, then edges and constraints."""
        graph = Digraph(
            graph_attr=self._graph(),
            node_attr=self._node_defaults(),
            edge_attr=self._edge_defaults(),
        )
        if self._positions is not None:
            self._add_copies(graph, self._positions)
        self._add_boxes(graph, "", 0)
        if self._positions is not None:
            self._add_laid_out_edges(graph, self._positions)
            return graph
        for edge in self._drawing.edges:
            self._add_edge(graph, edge, {})
        if self._u is not None:
            for pair in self._u.levels:
                with graph.subgraph(graph_attr={"rank": "same"}) as level:
                    for name in pair:
                        level.node(name)
            return graph
        for above, below in rank_constraints(self._drawing):
            graph.edge(above, below, **_CONSTRAINT)
        for above, below in self._entries:
            graph.edge(above, below, **_CONSTRAINT | {"minlen": "1"})
        for above, below in exit_rank_constraints(self._drawing):
            graph.edge(above, below, **_OUT_OF_CLUSTER)
        return graph

    def _add_laid_out_edges(self, graph: Digraph, positions: Layout) -> None:
        waiting = {pair: iter(found) for pair, found in positions.edges.items()}
        for edge in self._drawing.edges:
            place = next(waiting[edge.source, edge.target])
            self._add_edge(graph, edge, place)

    def _add_edge(self, graph: Digraph, edge: Edge, place: Attributes) -> None:
        """Add an edge; one that goes up is laid out as if it went down."""
        attributes = {**self._edge(edge), **place}
        if self._u is not None and self._u.is_up(edge):
            graph.edge(edge.target, edge.source, **{**attributes, "dir": "back"})
        else:
            graph.edge(edge.source, edge.target, **attributes)

    def _add_copies(self, graph: Digraph, positions: Layout) -> None:
        """Add the outlines of two copies behind each box that stands for copies side by side."""
        for box in self._drawing.boxes:
            if box.stacked:
                width, height = positions.sizes[box.id]
                for behind in (2, 1):
                    x, y = map(float, positions.items[box.id]["pos"].split(","))
                    shift = behind * STACKED
                    shape = {
                        **self._box(box),
                        "id": f"{self._ids[box.id]}.{behind}",
                        "pos": f"{x + shift:.2f},{y + shift:.2f}",
                        "label": "",
                        "peripheries": "1",
                        "fixedsize": "true",
                        "width": f"{width / 72:.4f}",
                        "height": f"{height / 72:.4f}",
                    }
                    shape.pop("URL", None)
                    graph.node(f"{box.id}_{behind}", **shape)

    def _add_frames_behind(
        self, graph: Digraph, cluster: Cluster, level: int, positions: Layout
    ) -> None:
        """Add the frames of two copies behind that of a repeat whose copies are side by side."""
        frame = positions.frame(cluster.id)
        for behind in (2, 1):
            moved = frame.shifted(behind * STACKED)
            sides = moved.left, moved.low, moved.right, moved.high
            drawn = {
                **self._cluster(cluster, level),
                "id": f"{self._ids[cluster.id]}.{behind}",
                "bb": ",".join(f"{side:.2f}" for side in sides),
                "label": "",
            }
            drawn.pop("URL", None)
            name = f"cluster_{cluster.id}_{behind}"
            with graph.subgraph(name=name, graph_attr=drawn) as copy:
                center = f"{(moved.left + moved.right) / 2:.2f},{(moved.low + moved.high) / 2:.2f}"
                copy.node(
                    f"{cluster.id}_{behind}", style="invis", shape="point", pos=center
                )

    def _place(self, name: str) -> Attributes:
        return {} if self._positions is None else self._positions.items[name]

    def _add_boxes(self, graph: Digraph, parent: str, level: int) -> None:
        for box in self._drawing.boxes:
            if box.cluster == parent:
                graph.node(box.id, **{**self._box(box), **self._place(box.id)})
        for row in self._rows if self._positions is None else ():
            if row[0].cluster == parent:
                with graph.subgraph(graph_attr={"rank": "same"}) as beside:
                    # From left to right, Graphviz fills a row from below.
                    for one, other in pairwise(row if self._down else row[::-1]):
                        beside.edge(one.id, other.id, style="invis")
        for cluster in self._drawing.clusters:
            if cluster.parent == parent:
                if cluster.stacked and self._positions is not None:
                    self._add_frames_behind(graph, cluster, level, self._positions)
                name = f"cluster_{cluster.id}"
                drawn = {**self._cluster(cluster, level), **self._place(name)}
                with graph.subgraph(name=name, graph_attr=drawn) as inner:
                    self._add_boxes(inner, cluster.id, level + 1)

    def _graph(self) -> Attributes:
        title = self._drawing.title
        label = (
            labels.drawing_title(title, self._theme, self._room)
            if title.one_line
            else ""
        )
        return {
            "rankdir": self._drawing.direction,
            "nodesep": _BESIDE[self._room],
            "ranksep": "0.3"
            if self._down
            else "0.42"
            if self._room == "ample"
            else "0.36",
            "fontname": _FONT,
            "fontcolor": self._theme.ink,
            "bgcolor": self._theme.paper,
            "compound": "true",
            "labelloc": "t",
            "labeljust": "l",
            "pad": "0.15",
            "label": label,
            **self._page(),
            **({"newrank": "true"} if self._drawing.one_ranking else {}),
            # The last pass over all clusters does not keep boxes in the order that is asked for.
            **({"remincross": "false"} if self._rows else {}),
            **(_COARSE if len(self._drawing.edges) > _MANY_EDGES else {}),
        }

    def _page(self) -> Attributes:
        """The size on a page; a picture that is smaller stays so."""
        if not self._drawing.width:
            return {}
        sides = self._drawing.width / 72, PAGE_HEIGHT / 72
        return {"size": ",".join(f"{side:.4f}" for side in sides)}

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
        corners = "filled" if cluster.error else "rounded,filled"
        style = f"{corners},dashed" if cluster.optional else corners
        return {
            **self._named(cluster, f"lg-level-{level % len(theme.levels)}"),
            "style": style,
            "fillcolor": paint.fill,
            "color": theme.fault if cluster.error else paint.border,
            "penwidth": "2" if cluster.error else "1",
            "margin": f"{MARGIN:g}",
            "labeljust": "r" if cluster.id in self._right_aligned else "l",
            "labelloc": "t",
            "label": labels.cluster_label(cluster.caption, theme),
        }

    def _named(self, item: Box | Cluster, *classes: str) -> Attributes:
        """The name of an item in an SVG file, its classes, its text under the pointer, and its link."""
        marks = ("optional", item.optional), ("fault", bool(item.error))
        classes += tuple(f"lg-{mark}" for mark, has in marks if has)
        named = {
            "id": self._ids[item.id],
            "class": " ".join(classes),
            "tooltip": _tooltip(item.error or item.tooltip),
        }
        if self._drawing.links and item.place is not None:
            named["URL"] = _quoted(link_to(self._drawing.links, item.place))
        return named

    def _box(self, box: Box) -> Attributes:
        line = {"group": box.main_path} if box.main_path else {}
        return {**self._shape(box), **self._named(box, *self._classes(box)), **line}

    def _classes(self, box: Box) -> Iterator[str]:
        yield f"lg-{box.kind}"
        if box.kind == "layer":
            paint = family_paint(box.family, self._theme)
            yield "lg-plain" if paint is None else f"lg-{box.family}"
        if box.has_weights:
            yield "lg-weights"

    def _shape(self, box: Box) -> Attributes:
        match box.kind:
            case "input" | "output":
                return {
                    **_BARE,
                    "label": labels.box_label(box.caption, self._theme, 12, self._room),
                }
            case "port" if box.caption.name:
                name = labels.port_label(box.caption, self._theme)
                return {**_BARE, "label": name, **self._width(box)}
            case "port" if box.id in self._widths:
                return {**_WIDE_POINT, **self._width(box)}
            case "port":
                return {"shape": "point", "width": "0.05", "color": self._theme.line}
            case "join":
                return self._join(box)
            case "elided":
                return {
                    "label": _quoted(box.caption.name),
                    "style": "rounded,dashed",
                    "color": self._theme.muted,
                }
        return self._layer_box(box)

    def _layer_box(self, box: Box) -> Attributes:
        theme = self._theme
        paint = family_paint(box.family, theme) or theme.plain
        if box.kind == "block":
            paint = theme.block
        if paint.ink:
            theme = replace(theme, ink=paint.ink, muted=paint.ink, badge=paint.ink)
        return {
            **_painted(paint),
            "fontcolor": theme.ink,
            "label": labels.box_label(box.caption, theme, 11, self._room),
            "penwidth": "1.4" if box.has_weights else "0.8",
            **({"peripheries": "2"} if box.kind == "block" else {}),
            **self._width(box),
            **self._state(box),
        }

    def _width(self, box: Box) -> Attributes:
        points = self._widths.get(box.id)
        return {} if points is None else {"width": f"{points / 72:.2f}"}

    def _state(self, box: Box) -> Attributes:
        corners = "filled" if box.error else "rounded,filled"  # an octagon is not round
        style = {"style": f"{corners},dashed" if box.optional else corners}
        return {**style, **(self._error_style() if box.error else {})}

    def _error_style(self) -> Attributes:
        """The look of a fault: a colour, and for readers who do not see it the shape of a stop sign."""
        return {"color": self._theme.fault, "penwidth": "2.2", "shape": "octagon"}

    def _join(self, box: Box) -> Attributes:
        return {
            "shape": "circle",
            **_painted(self._theme.join),
            "width": "0.25",
            "height": "0.25",
            "fixedsize": "true",
            "margin": "0",
            "fontsize": "13",
            "penwidth": "0.9",
            "label": _quoted(box.caption.name),
            **({"style": "filled,dashed"} if box.optional else {"style": "filled"}),
            **(self._error_style() if box.error else {}),
        }

    def _edge(self, edge: Edge) -> Attributes:
        found = {
            "id": f"{self._ids[edge.source]}--{self._ids[edge.target]}",
            "class": " ".join(_edge_classes(edge)),
            "tooltip": _tooltip(self._edge_title(edge)),
        }
        if edge.label:
            found["label"] = _edge_label(edge_lines(edge, self._drawing))
        if edge.kind == "order":
            return found | {"style": "invis"}
        if edge.kind in ("tie", "loop"):
            return found | self._dashed(edge)
        if edge.kind == "meet":
            return found | {"style": "dashed", "penwidth": "1.2"}
        if edge.on_main_path:
            found |= {"weight": "12"}
        elif edge.kind == "skip":
            found |= {"weight": "1", "color": self._theme.faint}
        else:
            found["weight"] = "2"
        if self._down and edge.label and not self._floats(edge):
            found["labelfloat"] = "false"
        if edge.label and self._needs_length(edge):
            found["minlen"] = "2"  # else its label would lie on the border
        if edge.is_list:
            line = found.get("color", self._theme.line)
            found["color"] = ":".join([line] * 3)  # a bundle
        if edge.optional:
            found |= {"style": "dashed"}
        if edge.has_error:
            red = self._theme.fault
            double = f"{red}:{red}"  # for readers who do not see red
            found |= {"color": double, "fontcolor": red, "penwidth": "1.4"}
        return found

    def _edge_title(self, edge: Edge) -> str:
        source, target = (
            box.path[-1] if box.path else box.caption.name
            for box in (self._boxes[edge.source], self._boxes[edge.target])
        )
        return f"{source} → {target}{f': {edge.about}' if edge.about else ''}"

    def _floats(self, edge: Edge) -> bool:
        """Whether a label needs no space of its own: on one line beside the main path, clear of other edges.

        The next entry point of a block stands below the first one, where the label of the first one's edge is.
        """
        if not edge.on_main_path:
            return False
        if self._enters_cluster(edge):  # other edges join it inside
            return True
        if len(wrap_edge_label(edge.label)) > 1:
            return False
        alone = self._incoming[edge.target] == self._outgoing[edge.source] == 1
        return alone or (
            len(edge.label) <= _SHORT_LABEL and edge.source not in self._above_another
        )

    def _enters_cluster(self, edge: Edge) -> bool:
        """Whether an edge is one of several that lead to an entry point of a block."""
        source, target = self._boxes[edge.source], self._boxes[edge.target]
        joined = target.kind == "port" and self._incoming[edge.target] > 1
        return joined and source.cluster != target.cluster

    def _needs_length(self, edge: Edge) -> bool:
        """Whether a label needs more space between two boxes than Graphviz gives it."""
        source, target = self._boxes[edge.source], self._boxes[edge.target]
        if edge.on_main_path:
            return self._enters_cluster(edge) and len(wrap_edge_label(edge.label)) > 1
        return target.kind == "output" and source.cluster != target.cluster

    def _dashed(self, edge: Edge) -> dict[str, str]:
        tie = edge.kind == "tie"
        color = self._theme.tie if tie else self._theme.badge
        return {
            "style": "dashed",
            "color": color,
            "fontcolor": color,
            "weight": "0",
            **(
                {}
                if tie and is_ordered_by_edges(self._drawing, edge)
                else {"constraint": "false"}
            ),
            **({"arrowhead": "none"} if tie else {}),
        }


_CONSTRAINT = {"style": "invis", "minlen": "0", "weight": "0"}
# Across the border of a cluster, Graphviz weighs ten times such a constraint against the main path, which has 1,200.
_OUT_OF_CLUSTER = {"style": "invis", "minlen": "1", "weight": "150"}
_SHORT_LABEL = 9  # characters that stay clear of an edge from the side
_INDENT = "  "  # between an edge and its label: wider than half an arrowhead
_WIDE_POINT = {
    "shape": "box",
    "style": "",
    "color": "none",
    "fixedsize": "true",
    "height": "0.05",
    "fontsize": "11",
    "label": "•",
}
_BARE = {
    "shape": "box",
    "style": "",
    "color": "none",
    "margin": "0.05,0.02",
    "height": "0.2",
    "width": "0.1",
}


def _edge_label(lines: list[str]) -> str:
    """The label of an edge, a little to its right; two lines are left-aligned."""
    quoted = [_quoted(f"{_INDENT}{line}") for line in lines]
    return quoted[0] if len(quoted) == 1 else "".join(f"{line}\\l" for line in quoted)


def _edge_classes(edge: Edge) -> Iterator[str]:
    yield f"lg-{edge.kind}"
    if edge.on_main_path:
        yield "lg-main"
    if edge.optional:
        yield "lg-optional"
    if edge.has_error:
        yield "lg-fault"


def _painted(paint: Paint) -> Attributes:
    return {"fillcolor": paint.fill, "color": paint.border}


def _quoted(text: str) -> str:
    """Text as a plain label, even if it looks like an HTML-like one."""
    plain: str = nohtml(labels.escape_label(text))
    return plain


def _tooltip(text: str) -> str:
    """A tooltip; a blank if empty, since Graphviz would show the label's source instead."""
    # Graphviz unescapes tooltips twice.
    return _quoted(text.replace("\\", "\\\\") or " ")
