"""A generated spec as text."""

from __future__ import annotations

from typing import Any

from compiler.diagnostics.source import Span
from compiler.fmt.items import bare_items
from compiler.fmt.layout import layout
from compiler.parse.document import MappingNode, ScalarNode, SequenceNode, YamlNode

_NO_POSITION = Span("", 1, 1, 1, 1)
_SPACED = frozenset(
    ("params", "networks", "init", "expect", "checkpoint", "task", "blocks")
)


def write_spec(root: MappingNode) -> str:
    """The text of a spec, with a blank line before each large section and each block."""
    items = bare_items(root)
    names = {item.key.text: item for item in items.children if item.key}
    spaced = [item for name, item in names.items() if name in _SPACED]
    first = names.get("dims", names.get("inputs"))
    spaced += [first] if first is not None else []
    for section in ("networks", "blocks"):
        spaced += names[section].children[1:] if section in names else []
    for item in spaced:
        item.before.append("")
    return layout(items)


def to_node(value: Any) -> YamlNode:
    """A dict, list or scalar as a node of a document; nodes stay as they are.

    >>> to_node({"a": (1, None)}).get("a").items[0].text
    '1'
    """
    if isinstance(value, ScalarNode | SequenceNode | MappingNode):
        return value
    if isinstance(value, dict):
        entries = tuple((_scalar(key), to_node(item)) for key, item in value.items())
        return MappingNode(entries, _NO_POSITION)
    if isinstance(value, tuple | list):
        return SequenceNode(tuple(map(to_node, value)), _NO_POSITION)
    return _scalar(value)


def _scalar(value: Any) -> ScalarNode:
    if isinstance(value, float):
        return ScalarNode(value, _float(value), _NO_POSITION)
    return ScalarNode(value, str(value), _NO_POSITION)


def _float(value: float) -> str:
    """A float as YAML writes it; Python writes infinity and NaN differently."""
    return {"inf": ".inf", "-inf": "-.inf", "nan": ".nan"}.get(str(value), repr(value))
