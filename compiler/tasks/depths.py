"""The depth of each tensor of a network, for learning rates by layer."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import groupby
from typing import Final

_NUMBERED: Final = re.compile(r".+?\.\d+\.")
"""The start of the name of a tensor in a layer that is one of several."""


def depths(names: Iterable[str]) -> dict[str, int]:
    """The depth of each tensor: that of its copy of a repeat, counted from the input; 0 before the first.

    Args:
        names: of all tensors of a network, in the order of its layers.

    >>> depths(["embed.weight", "h.0.fc.weight", "h.0.fc.bias", "h.1.fc.weight", "head.weight"])
    {'embed.weight': 0, 'h.0.fc.weight': 1, 'h.0.fc.bias': 1, 'h.1.fc.weight': 2, 'head.weight': 3}
    """
    found: dict[str, int] = {}
    for depth, (_, some) in enumerate(groupby(names, key=layer_of)):
        found |= dict.fromkeys(some, depth)
    return found


def layer_of(name: str) -> str:
    """The copy of a repeat that a tensor is in; "" for others."""
    layer = _NUMBERED.match(name)
    return layer.group() if layer is not None else ""
