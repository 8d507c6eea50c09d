"""The parts of a spec as a tree: networks, blocks, inputs, layers, params."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from compiler.dataclass import dataclass
from compiler.diagnostics.source import Span
from compiler.editing.survey import Survey
from compiler.parse.document import MappingNode, ScalarNode, SequenceNode, YamlNode

Part = Literal[
    "network", "block", "input", "output", "layer", "group", "param", "section"
]


@dataclass(frozen=True, slots=True)
class OutlineItem:
    """A part of a spec: its name, where the name is and how far it reaches."""

    name: str
    part: Part
    detail: str
    key: Span
    whole: Span
    inside: tuple[OutlineItem, ...] = ()


def outline(survey: Survey) -> tuple[OutlineItem, ...]:
    """The parts of the file, in the order of the text."""
    root = survey.document.root
    found: list[OutlineItem] = []
    for key, value in root.entries:
        inside = tuple(_section(key.text, value))
        if key.text in ("name", "description", "reference"):
            continue
        found.append(_item(key, value, "section", _text(value), inside))
    return tuple(found)


def _section(name: str, node: YamlNode) -> Iterator[OutlineItem]:
    match name:
        case "params":
            yield from _named(node, "param")
        case "inputs":
            yield from _named(node, "input")
        case "outputs":
            yield from _named(node, "output")
        case "layers":
            yield from _layers(node)
        case "blocks" | "networks":
            part: Part = "block" if name == "blocks" else "network"
            for key, value in _entries(node):
                inside = tuple(_parts(value))
                yield _item(key, value, part, _text_of(value, "description"), inside)


def _parts(node: YamlNode) -> Iterator[OutlineItem]:
    """What a network or a block has, without a level for each section."""
    for key, value in _entries(node):
        yield from _section(key.text, value)


def _named(node: YamlNode, part: Part) -> Iterator[OutlineItem]:
    for key, value in _entries(node):
        yield _item(key, value, part, _text(value))


def _layers(node: YamlNode) -> Iterator[OutlineItem]:
    if isinstance(node, SequenceNode):
        for number, value in enumerate(node.items):
            key = ScalarNode(str(number), str(number), value.span)
            yield _layer(key, value)
    for key, value in _entries(node):
        yield _layer(key, value)


def _layer(key: ScalarNode, value: YamlNode) -> OutlineItem:
    group = value.get("layers") if isinstance(value, MappingNode) else None
    inside = tuple(_layers(group)) if group is not None else ()
    op = _text(value) or _text_of(value, "op")
    return _item(key, value, "group" if group is not None else "layer", op, inside)


def _item(
    key: ScalarNode,
    value: YamlNode,
    part: Part,
    detail: str,
    inside: tuple[OutlineItem, ...] = (),
) -> OutlineItem:
    ends = max((value.span, key.span), key=lambda s: (s.end_line, s.end_column))
    return OutlineItem(
        key.text or "?", part, detail, key.span, key.span.to(ends), inside
    )


def _entries(node: YamlNode) -> tuple[tuple[ScalarNode, YamlNode], ...]:
    return node.entries if isinstance(node, MappingNode) else ()


def _text(node: YamlNode | None) -> str:
    return node.text if isinstance(node, ScalarNode) else ""


def _text_of(node: YamlNode, key: str) -> str:
    return _text(node.get(key)) if isinstance(node, MappingNode) else ""
