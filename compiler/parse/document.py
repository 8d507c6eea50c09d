"""A parsed file: YAML's nodes as immutable values that know their places."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

from compiler.diagnostics.source import Source, Span

ScalarValue: TypeAlias = None | bool | int | float | str

_SCAN_UP_TO = 8  # entries that are quicker to look through than to index


@dataclass(frozen=True, slots=True)
class ScalarNode:
    """One value: `text` is what YAML read, before it was taken for a number."""

    value: ScalarValue
    text: str
    span: Span

    def part(self, start: int, end: int) -> Span:
        """The place of `text[start:end]`; of the whole where the two do not align.

        They align on one line without escapes, quoted or not: there the source is as
        long as the text, or longer by the two quotes.
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
    """An ordered mapping, whose keys are text and differ from one another."""

    entries: tuple[tuple[ScalarNode, YamlNode], ...]
    span: Span
    _index: dict[str, int] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def get(self, key: str) -> YamlNode | None:
        """The value at `key`."""
        entry = self._entry(key)
        return entry and entry[1]

    def key(self, key: str) -> ScalarNode | None:
        """The key itself, for its place."""
        entry = self._entry(key)
        return entry and entry[0]

    def _entry(self, key: str) -> tuple[ScalarNode, YamlNode] | None:
        if len(self.entries) <= _SCAN_UP_TO:
            return next(
                (entry for entry in self.entries if entry[0].value == key), None
            )
        if not self._index:
            self._index.update((k.text, i) for i, (k, _) in enumerate(self.entries))
        position = self._index.get(key)
        return None if position is None else self.entries[position]


YamlNode: TypeAlias = ScalarNode | SequenceNode | MappingNode


@dataclass(frozen=True, slots=True)
class Document:
    """One file's nodes, and the text they come from."""

    source: Source
    root: MappingNode

    def locate(self, path: tuple[str | int, ...], key: bool = False) -> Span:
        """The place of the value at `path`, or with `key` of the key that leads to it.

        A path that leaves the document gives the deepest place on it that exists; a value
        that is left empty is shown at its key.
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
        """The node at `path`, where there is one."""
        node: YamlNode = self.root
        for step in path:
            found = _child(node, step)
            if found is None:
                return None
            node = found[1]
        return node

    def part(self, path: tuple[str | int, ...], start: int, end: int) -> Span:
        """The place of a part of the text at `path`: from one offset to another."""
        node = self.node(path)
        return (
            node.part(start, end) if isinstance(node, ScalarNode) else self.locate(path)
        )


def _child(
    node: YamlNode, step: str | int
) -> tuple[ScalarNode | None, YamlNode] | None:
    match node, step:
        case MappingNode(), str():
            name, value = node.key(step), node.get(step)
            return None if value is None else (name, value)
        case SequenceNode(), int() if 0 <= step < len(node.items):
            return None, node.items[step]
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
