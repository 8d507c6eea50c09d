"""The user's choices for a diagram."""

from __future__ import annotations

from typing import Literal

from compiler.dataclass import dataclass
from compiler.diagram.drawing import Direction, ThemeName


@dataclass(frozen=True, slots=True)
class DiagramOptions:
    """Which part is drawn, to what depth, and in what style."""

    network: str = ""
    """The network to draw; "" draws all networks side by side."""
    block: str = ""
    """The block to draw alone; "" draws networks."""
    depth: int | None = None
    """How many levels of blocks are expanded; None expands what fits a page."""
    expand: frozenset[str] = frozenset()
    """Names of layers or blocks that are expanded at any depth."""
    fold: frozenset[str] = frozenset()
    """Names of layers or blocks that stay folded at any depth."""
    direction: Direction = "TB"
    """Top to bottom, or left to right."""
    theme: ThemeName = "auto"
    links: str = ""
    """What comes before the file and the line in links to what is drawn; "" for no links."""
    key: bool = False
    """Whether colours and lines are explained below the title."""
    sizes: Literal["values", "names"] | None = None
    """Whether shapes are in terms of the network's inputs (`values`) or of each block's own dims and params (`names`).

    None: names for a block that is drawn alone, else values.
    """
    width: float = 0.0
    """The width of a figure on a page, in points; 0 for a picture as wide as it needs to be."""
