"""The parts that the ports of a network play in a task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Role:
    """A part that an input or an output plays.

    Attributes:
        name: what it is called under `ports`.
        side: whether an input or an output plays it.
        type: the type that the port must have, in letters that stand for sizes.
        text: what goes in or comes out.
        optional: whether a network may do without it.
        network: the network that has it, where there are several.
    """

    name: str
    side: Literal["input", "output"]
    type: str
    text: str
    optional: bool = False
    network: str = ""
