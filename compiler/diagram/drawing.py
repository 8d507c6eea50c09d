"""A picture of a graph as data: what DOT and Mermaid are two ways to print."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Direction = Literal["TB", "LR"]
ThemeName = Literal["light", "dark", "print"]
NodeKind = Literal["layer", "block", "join", "input", "output", "port", "elided"]
EdgeKind = Literal["flow", "skip", "loop", "tie"]


@dataclass(frozen=True, slots=True)
class Caption:
    """What stands in a box or over a cluster: a name, words beside it, a badge."""

    name: str
    words: str = ""
    badge: str = ""
    """How often it runs: `× 12`."""
    lines: tuple[str, ...] = ()
    """Further lines below: the layers of a short list."""

    @property
    def plain(self) -> str:
        """All of it on one line."""
        head = " ".join(part for part in (self.name, self.words, self.badge) if part)
        return " · ".join((head, *self.lines)) if head else " · ".join(self.lines)


@dataclass(frozen=True, slots=True)
class Node:
    """A box, a circle, a point or plain text."""

    id: str
    kind: NodeKind
    text: Caption
    family: str = ""
    """Of the op; it chooses the colours."""
    cluster: str = ""
    """The cluster that it stands in; "" for none."""
    spine: str = ""
    """The straight line that it stands on; "" for none."""
    learned: bool = False
    """Whether it has weights of its own."""
    optional: bool = False
    """Whether it is there in some copies only."""
    fault: str = ""
    """What is wrong with it."""
    hint: str = ""
    """What a viewer may show when the pointer rests on it."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A frame around nodes: a network, a block or a group."""

    id: str
    text: Caption
    parent: str = ""
    optional: bool = False
    fault: str = ""
    hint: str = ""
    plain: bool = False
    """Whether it is a whole network beside others."""


@dataclass(frozen=True, slots=True)
class Edge:
    """An arrow; a loop is a state that goes to the next step, a tie has no head."""

    source: str
    target: str
    label: str = ""
    kind: EdgeKind = "flow"
    spine: bool = False
    fault: bool = False


@dataclass(frozen=True, slots=True)
class Drawing:
    """All that is drawn, in the order in which it is printed."""

    title: Caption
    nodes: tuple[Node, ...]
    clusters: tuple[Cluster, ...]
    edges: tuple[Edge, ...]
    direction: Direction = "TB"
    theme: ThemeName = "light"
