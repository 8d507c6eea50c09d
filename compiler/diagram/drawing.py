"""A diagram as data: boxes, clusters and edges, for DOT and Mermaid to print."""

from __future__ import annotations

from typing import Literal

from compiler.dataclass import dataclass
from compiler.diagnostics.source import Span

Direction = Literal["TB", "LR"]
ThemeName = Literal["auto", "light", "dark", "print"]
"""`auto` is light or dark as the viewer prefers, or the page around an SVG."""
BoxKind = Literal["layer", "block", "join", "input", "output", "port", "elided"]
EdgeKind = Literal["flow", "skip", "loop", "tie", "meet", "order"]
Room = Literal["ample", "narrow", "tight"]
"""How soon text is broken into lines: `narrow` for a page, `tight` where else nothing fits it."""


@dataclass(frozen=True, slots=True)
class Caption:
    """The text of a box or a cluster: a name, details beside it, and a badge."""

    name: str
    detail: str = ""
    badge: str = ""
    """How often the layer runs: `× 12`."""
    lines: tuple[str, ...] = ()
    """Lines below the name, such as the layers of a short list."""

    @property
    def one_line(self) -> str:
        """The whole caption on one line."""
        head = " ".join(part for part in (self.name, self.detail, self.badge) if part)
        return " · ".join((head, *self.lines)) if head else " · ".join(self.lines)


@dataclass(frozen=True, slots=True)
class Box:
    """A node of the drawing: a box, a circle, a point or plain text, by its kind."""

    id: str
    kind: BoxKind
    caption: Caption
    family: str = ""
    """The family of the op, which chooses the colours."""
    op: str = ""
    """The name of the op; "" for blocks, inputs and outputs, and for what is several ops in turn."""
    block: str = ""
    """The name of the block or group that it stands for; "" for an op."""
    cluster: str = ""
    """The id of the cluster around it; "" for none."""
    main_path: str = ""
    """The id of the main path that it is on; "" for none."""
    has_weights: bool = False
    """Whether the layer has weights of its own."""
    optional: bool = False
    """Whether the layer is in some copies only."""
    stacked: bool = False
    """Whether it stands for copies side by side, which take nothing of each other."""
    error: str = ""
    """The message of the layer's error; "" for none."""
    tooltip: str = ""
    """The text that a viewer shows under the pointer."""
    path: tuple[str, ...] = ()
    """The network, then the layers that lead to this layer, input or output; () for what stands for several."""
    holds: tuple[tuple[str, ...], ...] = ()
    """The paths of further layers that are in the box."""
    place: Span | None = None
    """Where it is in the file; None for what stands for several."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A frame around boxes: a network, a block or a group."""

    id: str
    caption: Caption
    parent: str = ""
    """The id of the cluster around it; "" for none."""
    optional: bool = False
    error: str = ""
    tooltip: str = ""
    stacked: bool = False
    """Whether it stands for copies side by side."""
    is_network: bool = False
    """Whether it is a whole network, drawn beside others."""
    path: tuple[str, ...] = ()
    """The network, then the layers that lead to the layer whose inside it is."""
    place: Span | None = None
    """Where this layer is in the file, or the network."""


@dataclass(frozen=True, slots=True)
class Edge:
    """An arrow from one box to another, by their ids.

    A `skip` passes other boxes, a `loop` goes to the next copy of a repeat or the next step of a scan, and a `tie`
    joins two layers that have a tensor in common and has no arrowhead. A `meet` leads from one network to another.
    An `order` is not seen: it keeps one box below another.
    """

    source: str
    target: str
    label: str = ""
    kind: EdgeKind = "flow"
    on_main_path: bool = False
    has_error: bool = False
    optional: bool = False
    """Whether it is there in some copies only, though both its ends are in more, or where an input of the network is
    absent; the label says which."""
    instead: str = ""
    """Of an edge that is there where an input is absent: `without mask`, or `else`."""
    is_list: bool = False
    """Whether the value is a list, of what several copies give."""
    names: str = ""
    """The label without the type of the value."""
    type: str = ""
    """The whole type of the value, which a label shortens; "" if unknown, or if there are several."""

    @property
    def about(self) -> str:
        """What a viewer shows under the pointer."""
        return ": ".join(part for part in (self.names, self.type) if part)


@dataclass(frozen=True, slots=True)
class Drawing:
    """A whole diagram, its parts in the order in which they are printed."""

    title: Caption
    boxes: tuple[Box, ...]
    clusters: tuple[Cluster, ...]
    edges: tuple[Edge, ...]
    direction: Direction = "TB"
    theme: ThemeName = "auto"
    links: str = ""
    """What comes before the file and the line in links to what is drawn; "" for no links."""
    key: bool = False
    """Whether colours and lines are explained below the title."""
    largest: str = ""
    """The network or block with the most boxes, and where it stands."""
    width: float = 0.0
    """The greatest width of the picture on a page, in points; 0 for none."""
    room: Room = "ample"
    """How soon text is broken into lines."""
    one_ranking: bool = False
    """Whether boxes are ranked over the borders of clusters, so that no arrow leads back."""
    below: bool = False
    """Whether networks are one below another, and not side by side."""

    pieces: int = 1
    """Into how many pieces it is broken: beside each other, or from left to right one below another."""
    crossing: int = 4
    """How many values a break may cut."""
