"""What the user decides about a diagram."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from compiler.diagram.drawing import Direction, ThemeName


@dataclass(frozen=True, slots=True)
class DiagramOptions:
    """Which part is drawn, how deep, and how it looks."""

    network: str = ""
    """One of several networks; "" draws all of them side by side."""
    block: str = ""
    """Draw this block alone."""
    depth: int | None = None
    """How many levels of blocks are opened; None opens what fits a page."""
    expand: frozenset[str] = frozenset()
    """Layers or blocks, by name, that are opened whatever the depth."""
    fold: frozenset[str] = frozenset()
    """Layers or blocks, by name, that stay folded whatever the depth."""
    direction: Direction = "TB"
    theme: ThemeName = "light"
    sizes: Literal["values", "names"] | None = None
    """Shapes as the network's inputs give them, or in the names of each block.

    None: names for a block that is drawn alone, else values.
    """
