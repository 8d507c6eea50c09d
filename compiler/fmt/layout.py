"""The canonical layout of a spec.

Sections, blocks and groups have one line per entry. Any other collection is on one line
in brackets if it was written so and fits; else it has one line per entry too.
"""

from __future__ import annotations

from collections.abc import Iterator

from compiler.fmt.items import Item
from compiler.fmt.write_scalars import block, inline
from compiler.language.spec import Spec
from compiler.parse.document import MappingNode, ScalarNode, SequenceNode

WIDTH = 120
INDENT = 2

_SECTIONS = {field.alias or name for name, field in Spec.model_fields.items()}
_SECTIONS -= {"params"}
"""The sections that have one line per entry. Params are short and stay as they were written."""


def layout(root: Item) -> str:
    """The text of a file."""
    return "\n".join(_entries(root, 0, 0)).strip("\n") + "\n"


def _entries(parent: Item, indent: int, depth: int) -> Iterator[str]:
    """The lines of a collection that has one line per entry."""
    margin = " " * indent
    for position, item in enumerate(parent.children):
        above = (
            item.before
            if position or depth == 0
            else _without_leading_blank(item.before)
        )
        yield from (margin + comment if comment else "" for comment in above)
        yield from _entry(item, indent, depth)
        yield from (margin + comment if comment else "" for comment in item.after)


def _without_leading_blank(lines: list[str]) -> list[str]:
    return lines[1:] if lines and not lines[0] else lines


def _entry(item: Item, indent: int, depth: int) -> Iterator[str]:
    margin = " " * indent
    head = "-" if item.key is None else f"{inline(item.key, flow=False)}:"
    line = _one_line(item, indent + len(head) + 1, depth)
    note = f"  {item.trailing}" if item.trailing else ""
    if line is not None:
        first, *rest = line.split("\n")
        yield f"{margin}{head} {first}{note}"
        yield from rest
    elif item.key is None:
        yield from _in_list(item, indent, depth, note)
    else:
        yield f"{margin}{head}{note}"
        yield from _entries(item, indent + INDENT, depth + 1)


def _in_list(item: Item, indent: int, depth: int, note: str) -> Iterator[str]:
    """A collection in a list, with its first line after the dash."""
    if note:
        yield f"{' ' * indent}{note.strip()}"
    lines = list(_entries(item, indent + INDENT, depth + 1))
    first = next((n for n, line in enumerate(lines) if not _is_comment(line)), 0)
    lines[first] = f"{' ' * indent}- {lines[first][indent + INDENT :]}"
    yield from lines


def _one_line(item: Item, start: int, depth: int) -> str | None:
    """The value, if it starts on the line of its key; None if it is on lines below."""
    node = item.node
    if isinstance(node, ScalarNode):
        return _scalar(item, node, start)
    if not item.children:
        return "{}" if isinstance(node, MappingNode) else "[]"
    if item.commented or not item.children[0].flow or _has_lines(item, depth):
        return None
    text = _flow(item)
    return text if start + len(text) <= WIDTH else None


def _scalar(item: Item, node: ScalarNode, start: int) -> str:
    text = inline(node, flow=False)
    if isinstance(node.value, str) and item.key is not None:
        indent = _level(item) * INDENT
        if start + len(text) > WIDTH or "\n" in node.value:
            return block(node.value, indent, WIDTH) or text
    return text


def _level(item: Item) -> int:
    """How many items it is in, itself included."""
    level = 0
    while item.parent is not None:
        level, item = level + 1, item.parent
    return level


def _has_lines(item: Item, depth: int) -> bool:
    """Whether the collection has one line per entry: a section, block, network or group."""
    name = "" if item.key is None else item.key.text
    if not isinstance(item.node, MappingNode):
        return name == "layers" and isinstance(item.node, SequenceNode)
    if item.node.get("layers") is not None or name == "layers":
        return True
    inside = _section(item)
    if depth == 0:
        return name in _SECTIONS
    return inside in ("blocks", "networks") and depth == 2 and name in _SECTIONS


def _section(item: Item) -> str:
    while item.parent is not None and item.parent.parent is not None:
        item = item.parent
    return "" if item.key is None else item.key.text


def _flow(item: Item) -> str:
    node = item.node
    if isinstance(node, ScalarNode):
        return inline(node, flow=True)
    parts = [_flow_entry(child) for child in item.children]
    inside = ", ".join(parts)
    return f"{{{inside}}}" if isinstance(node, MappingNode) else f"[{inside}]"


def _flow_entry(item: Item) -> str:
    value = _flow(item)
    return value if item.key is None else f"{inline(item.key, flow=True)}: {value}"


def _is_comment(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("#")
