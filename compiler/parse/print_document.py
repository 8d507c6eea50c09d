"""A document as text: every value with its line and column, as YAML read it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import PurePath

from compiler.diagnostics.text import printable
from compiler.parse.document import (
    Document,
    MappingNode,
    ScalarNode,
    SequenceNode,
    YamlNode,
)


def print_document(document: Document) -> str:
    """A line for each scalar, key and item: its place, then the value as JSON writes it."""
    root = document.root
    lines = [f"document {document.source.file}"]
    lines += (f"extends {base}" for base in document.bases)
    lines += _lines(root, "", 0, document)
    return "\n".join(map(printable, lines)) + "\n"


def _lines(
    node: YamlNode, before: str, depth: int, document: Document
) -> Iterator[str]:
    """The lines of a node; `before` stands before its value, the key or the dash."""
    if isinstance(node, ScalarNode):
        yield _line(node, f"{before} {_value(node)}".lstrip(), depth, document)
        return
    if before:
        kind = (
            "" if _children(node) else " {}" if isinstance(node, MappingNode) else " []"
        )
        yield _line(node, before + kind, depth, document)
        depth += 1
    for name, child in _children(node):
        yield from _lines(child, name, depth, document)


def _children(node: MappingNode | SequenceNode) -> list[tuple[str, YamlNode]]:
    """What is in a node, each with its key or a dash."""
    if isinstance(node, SequenceNode):
        return [("-", item) for item in node.items]
    return [(f"{key.text}:", value) for key, value in node.entries]


def _line(node: YamlNode, text: str, depth: int, document: Document) -> str:
    span = node.span
    place = f"{span.line}:{span.column}"
    if span.file != document.source.file:
        place = f"{PurePath(span.file).name}:{place}"
    return f"{place:>8}  {'  ' * depth}{text}"


def _value(scalar: ScalarNode) -> str:
    """The value, and what was written where that reads otherwise: `0.003 (3e-3)`."""
    value = scalar.value
    shown = value if isinstance(value, float) else json.dumps(value, ensure_ascii=False)
    same = isinstance(value, str) or str(shown) == scalar.text
    return f"{shown}" if same or value is None else f"{shown} ({scalar.text})"
