"""A spec written as a base and a spec that extends it, at random: together they say what the spec says."""

from __future__ import annotations

from random import Random
from typing import Any

from compiler.elaborate.extend import BY_NAME
from compiler.fmt.write_spec import to_node, write_spec
from compiler.parse.document import MappingNode

Data = dict[str, Any]
"""A mapping as `to_data` gives it."""

_WAYS = ("kept", "kept", "replaced", "added", "dropped")
"""How an entry comes to be as it is; with "dropped", the base has one more before it."""


def split(target: Data, draw: Random) -> tuple[str, str]:
    """The texts of the base, and of what extends it as `base.yaml`."""
    base: Data = {}
    own: Data = {"extends": "base.yaml"}
    for key, value in target.items():
        if isinstance(value, dict) and key in BY_NAME:
            below, above = _section(key, value, target, draw)
            base |= {key: below} if below else {}
            own |= {key: above} if above else {}
        elif draw.random() < 0.5:
            base[key] = value
        else:
            own[key] = value
            base |= {key: "another"} if draw.random() < 0.5 else {}
    return _text(base), _text(own)


def _section(key: str, value: Data, target: Data, draw: Random) -> tuple[Data, Data]:
    """The entries of a section in the base, and in the spec that extends it."""
    below: Data = {}
    above: Data = {}
    previous = next(reversed(target.get("inputs") or {"": 0}))
    added = False
    for name, entry in value.items():
        way = draw.choice(_WAYS)
        if added and way in ("kept", "dropped") and key != "layers":
            way = "replaced"  # what is added comes before the next that is replaced
        if key == "layers" and not previous and way == "added":
            way = "replaced"  # there is no input that it could come after
        added = way == "added"
        if way == "dropped":
            extra = f"extra_{draw.randrange(10**9)}"
            below[extra], above[extra] = entry, None
        if not added:
            others = list(value.values())
            below[name] = draw.choice(others) if way == "replaced" else entry
        if way in ("replaced", "added"):
            above[name] = entry
        if added and key == "layers":
            above[name] = {**as_layer(entry), "after": previous}
        previous = name
    return below, above


def as_layer(written: Any) -> Any:
    """A layer as a mapping."""
    return {"op": written} if isinstance(written, str) else written


def _text(data: Data) -> str:
    root = to_node(data)
    assert isinstance(root, MappingNode)
    return write_spec(root)
