"""A parsed file: YAML nodes as immutable values with positions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Any, TypeAlias

from compiler.dataclass import dataclass
from compiler.diagnostics.source import Source, Span

ScalarValue: TypeAlias = None | bool | int | float | str

_SCAN_UP_TO = 8  # entries; a linear search is faster than an index up to here


@dataclass(frozen=True, slots=True)
class ScalarNode:
    """A single value; `text` is its text before YAML resolved it as a number, bool or null."""

    value: ScalarValue
    text: str
    span: Span

    def part(self, start: int, end: int) -> Span:
        """The position of `text[start:end]`; that of the whole scalar if they cannot be aligned.

        They can on one line without escapes, where the source is as long as the text, or
        longer by two quotes.
        """
        span = self.span
        extra = span.end_column - span.column - len(self.text)
        if span.line != span.end_line or extra not in (0, 2):
            return span
        first = span.column + extra // 2
        return Span(span.file, span.line, first + start, span.line, first + end)


@dataclass(frozen=True, slots=True)
class SequenceNode:
    """A list."""

    items: tuple[YamlNode, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class MappingNode:
    """An ordered mapping with distinct text keys."""

    entries: tuple[tuple[ScalarNode, YamlNode], ...]
    span: Span
    _index: dict[str, int] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def get(self, key: str) -> YamlNode | None:
        """The value of a key; None if there is no such key."""
        entry = self.entry(key)
        return entry and entry[1]

    def key(self, key: str) -> ScalarNode | None:
        """The node of a key, which has its position; None if there is no such key."""
        entry = self.entry(key)
        return entry and entry[0]

    def entry(self, key: str) -> tuple[ScalarNode, YamlNode] | None:
        """A key and its value; None if there is no such key."""
        if len(self.entries) <= _SCAN_UP_TO:
            for entry in self.entries:
                if entry[0].value == key:
                    return entry
            return None
        if not self._index:
            self._index.update((k.text, i) for i, (k, _) in enumerate(self.entries))
        position = self._index.get(key)
        return None if position is None else self.entries[position]


YamlNode: TypeAlias = ScalarNode | SequenceNode | MappingNode


@dataclass(frozen=True, slots=True)
class Document:
    """The nodes of a file, and its text.

    Attributes:
        variant: the variant that is compiled where none is asked for: of a recipe, itself.
        network: the file of the networks of a recipe, in whose folder imports are.
        bases: the files that it extends: its own base, that of the base, and so on.
        dropped: where it drops entries of its bases, by their paths.
    """

    source: Source
    root: MappingNode
    variant: str = ""
    network: Path | None = None
    bases: tuple[str, ...] = ()
    dropped: Mapping[tuple[str, ...], Span] = field(default_factory=dict)

    def locate(self, path: tuple[str | int, ...], key: bool = False) -> Span:
        """The position of the value at `path`, or if `key` is true of the key before it.

        If the path leaves the document, the position of the last node on it that exists.
        An empty value has the position of its key.
        """
        node: YamlNode = self.root
        span = node.span
        for step in path:
            found = _child(node, step)
            if found is None:
                break
            name, node = found
            empty = (
                isinstance(node, ScalarNode) and node.value is None and not node.text
            )
            span = name.span if name and (key or empty) else node.span
        return span

    def node(self, path: tuple[str | int, ...]) -> YamlNode | None:
        """The node at `path`; None if there is none."""
        node: YamlNode = self.root
        for step in path:
            found = _child(node, step)
            if found is None:
                return None
            node = found[1]
        return node

    def part(self, path: tuple[str | int, ...], start: int, end: int) -> Span:
        """The position of the characters `start:end` of the text at `path`."""
        node = self.node(path)
        return (
            node.part(start, end) if isinstance(node, ScalarNode) else self.locate(path)
        )


def _child(
    node: YamlNode, step: str | int
) -> tuple[ScalarNode | None, YamlNode] | None:
    if isinstance(node, MappingNode):
        return node.entry(step) if isinstance(step, str) else None
    if isinstance(node, SequenceNode) and isinstance(step, int):
        return (None, node.items[step]) if 0 <= step < len(node.items) else None
    return None


def to_data(node: YamlNode) -> Any:
    """The node as dicts, lists and scalars, in the order of the file."""
    match node:
        case ScalarNode():
            return node.value
        case SequenceNode():
            return [to_data(item) for item in node.items]
        case MappingNode():
            return {key.text: to_data(value) for key, value in node.entries}
