"""The roles of a network's ports in a task."""

from __future__ import annotations

from typing import Literal

from compiler.dataclass import dataclass


@dataclass(frozen=True)
class Role:
    """A role of an input or output.

    Attributes:
        name: its name under `ports`.
        side: input or output.
        type: the required type, with letters for sizes.
        text: description of the tensor.
        optional: whether a network may lack it.
        network: the network that has it, of several.
    """

    name: str
    side: Literal["input", "output"]
    type: str
    text: str
    optional: bool = False
    network: str = ""
