"""The events of libyaml -> nodes with positions."""

from __future__ import annotations

import re
from typing import Any, NoReturn

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from compiler.diagnostics import other_names
from compiler.diagnostics.diagnostic import Report
from compiler.diagnostics.limits import Limits
from compiler.diagnostics.source import Source, Span
from compiler.diagnostics.text import INVISIBLE, escaped, shorten
from compiler.parse.document import (
    MappingNode,
    ScalarNode,
    ScalarValue,
    SequenceNode,
    YamlNode,
)
from compiler.parse.scalars import NumberTooLarge, resolve
from compiler.parse.syntax_errors import (
    explain_syntax_error,
    missing_space_error,
    missing_space_in_line,
)

_TAG = re.compile(r"![^\s,\]}]*")
_REUSE = "define a block and use it in each place"


def read_nodes(source: Source, limits: Limits, report: Report) -> YamlNode | None:
    """The root of a file: a mapping, unless an error is reported.

    The text must not contain characters that `compiler.diagnostics.text.INVISIBLE` matches.
    """
    builder = _Builder(source, limits, report)
    try:
        for event in iter(yaml.CSafeLoader(source.text).get_event, None):
            builder.process(event)
    except yaml.MarkedYAMLError as error:
        report.add(explain_syntax_error(source, error))
        return None
    except _Stop:
        return None
    builder.check_root()
    return builder.root


class _Stop(Exception):
    """The rest of the file cannot be read; the reason has been reported."""


class _OpenCollection:
    """A list or mapping whose end has not been read yet."""

    __slots__ = ("entries", "flow", "items", "key", "keys", "mapping", "start")

    def __init__(self, mapping: bool, flow: bool, start: Any) -> None:
        self.mapping = mapping
        self.flow = flow
        self.start = start
        self.items: list[YamlNode] = []
        self.entries: list[tuple[ScalarNode, YamlNode]] = []
        self.keys: dict[ScalarValue, ScalarNode] = {}
        self.key: ScalarNode | None = None


class _Builder:
    """Builds nodes from events, with an explicit stack in place of recursion."""

    def __init__(self, source: Source, limits: Limits, report: Report) -> None:
        self.root: YamlNode | None = None
        self._source = source
        self._file = source.file
        self._size = len(source.text)
        self._limits = limits
        self._report = report
        self._stack: list[_OpenCollection] = []
        self._nodes = self._characters = 0

    def process(self, event: Any) -> None:
        """Process the next event. The most frequent types are tested first, since this is the hot path."""
        kind = type(event)
        if kind is ScalarEvent:
            self._add(self._scalar(event))
        elif kind is MappingStartEvent:
            self._open(event, mapping=True)
        elif kind is MappingEndEvent or kind is SequenceEndEvent:
            self._close(event)
        elif kind is SequenceStartEvent:
            self._open(event, mapping=False)
        elif kind is AliasEvent:
            self._add(self._alias(event))
        elif kind is DocumentStartEvent:
            self._start_document(event)

    def check_root(self) -> None:
        """Report a root that is not a mapping."""
        root = self.root
        if root is None or (isinstance(root, ScalarNode) and not root.text):
            span = root.span if root else self._source.span(0, 0)
            message = "the file contains no spec"
            help = "a spec starts with `name:`, `inputs:` and `layers:`"
            self._report.error("empty-document", span, message, help=help)
        elif isinstance(root, ScalarNode) and (
            joined := missing_space_in_line(self._source, root.span.line)
        ):
            self._report.add(joined)
        elif not isinstance(root, MappingNode):
            what = "a list" if isinstance(root, SequenceNode) else "a single value"
            message = f"a spec is a mapping of keys to values, not {what}"
            self._report.error("not-a-mapping", root.span, message)

    def _start_document(self, event: Any) -> None:
        if event.version or event.tags:
            span = self._span(event.start_mark, event.end_mark)
            message = "YAML directives are not supported"
            self._report.error("yaml-directive", span, message, help="remove the line")
        if self.root is not None:
            message = "a second document starts here; a file contains one spec"
            help = "move it to a file of its own"
            span = self._span(event.start_mark, event.end_mark)
            self._stop("several-documents", span, message, help)

    def _scalar(self, event: Any) -> ScalarNode:
        text: str = event.value
        start, end = event.start_mark, event.end_mark
        span = Span(
            self._file, start.line + 1, start.column + 1, end.line + 1, end.column + 1
        )
        if event.anchor is not None or event.tag is not None:
            self._check_properties(event)
        if start.index >= self._size:  # libyaml counts a line too many here
            span = self._source.span(start.index, end.index)
        if event.style or len(text) > self._limits.scalar:
            return self._long_scalar(event, span)
        try:
            return ScalarNode(resolve(text, self._limits.integer_bits), text, span)
        except NumberTooLarge as error:
            self._report.error(error.code, span, str(error))
            return ScalarNode(0, text, span)

    def _long_scalar(self, event: Any, span: Span) -> ScalarNode:
        """A scalar that is quoted, a block scalar, or too long."""
        text, start, end = event.value, event.start_mark.index, event.end_mark.index
        if event.style in ("|", ">"):
            # libyaml ends it where the next node starts, after blank lines.
            length = len(self._source.text[start:end].rstrip())
            span = self._source.span(start, start + length)
        if len(text) > self._limits.scalar:
            message = f"this text is longer than {self._limits.scalar:,} characters"
            self._report.error("too-large", span, message)
        self._check_visible(text, span)
        return ScalarNode(text, text, span)

    def _check_visible(self, text: str, span: Span) -> None:
        match = INVISIBLE.search(text)
        if match or "\r" in text:
            char = escaped(match[0] if match else "\r")
            message = f"this text contains the invisible character {char}"
            help = "remove the escape"
            self._report.error("control-character", span, message, help=help)

    def _alias(self, event: Any) -> ScalarNode:
        span = self._span(event.start_mark, event.end_mark)
        message = f"YAML aliases are not supported: `*{shorten(event.anchor)}`"
        help = f"{_REUSE}; or quote the text"
        self._report.error("yaml-alias", span, message, help=help)
        text = f"*{event.anchor}"
        return ScalarNode(text, text, span)

    def _open(self, event: Any, mapping: bool) -> None:
        if event.anchor is not None or event.tag is not None:
            self._check_properties(event)
        if len(self._stack) >= self._limits.depth:
            span = self._span(event.start_mark, event.end_mark)
            message = f"lists and mappings are nested more than {self._limits.depth} levels deep"
            self._stop("too-deep", span, message)
        self._stack.append(_OpenCollection(mapping, event.flow_style, event.start_mark))

    def _close(self, event: Any) -> None:
        collection = self._stack.pop()
        span = self._span(
            collection.start, event.end_mark if collection.flow else collection.start
        )
        if collection.mapping:
            entries = tuple(collection.entries)
            last = entries[-1][1] if entries else None
        else:
            items = tuple(collection.items)
            last = items[-1] if items else None
        if last and not collection.flow:  # libyaml ends it where the next node starts
            span = span.to(last.span)
        self._add(
            MappingNode(entries, span)
            if collection.mapping
            else SequenceNode(items, span)
        )

    def _add(self, node: YamlNode) -> None:
        self._nodes += 1
        if self._nodes > self._limits.nodes:
            self._too_many(node)
        collection = self._stack[-1] if self._stack else None
        if collection is not None and collection.mapping and collection.key is None:
            collection.key = self._key(collection, node)
            return
        if isinstance(node, ScalarNode):
            self._charge(node)
        if collection is None:
            self.root = node
        elif collection.key is None:
            collection.items.append(node)
        else:
            if collection.flow and isinstance(node, ScalarNode) and not node.text:
                self._check_missing_space(collection.key, node)
            collection.entries.append((collection.key, node))
            collection.key = None

    def _charge(self, node: ScalarNode) -> None:
        """Count the characters of a value."""
        self._characters += len(node.text)
        most = self._limits.characters
        if self._characters > most:
            message = f"the values of the file have more than {most:,} characters"
            self._stop("too-large", node.span, message)

    def _key(self, collection: _OpenCollection, node: YamlNode) -> ScalarNode:
        if not isinstance(node, ScalarNode) or not isinstance(node.value, str):
            return self._invalid_key(node)
        first = collection.keys.setdefault(node.value, node)
        if first is not node:
            message = f"duplicate key `{shorten(node.value)}`"
            label = f"first used on line {first.span.line}"
            related = ((first.span, "first used here"),)
            self._report.error(
                "duplicate-key", node.span, message, label=label, related=related
            )
        elif node.value == "<<" and node.span.end_column - node.span.column == 2:
            message = "YAML merge keys are not supported: `<<`"
            self._report.error("yaml-merge-key", node.span, message, help=_REUSE)
        return node

    def _invalid_key(self, node: YamlNode) -> ScalarNode:
        text = shorten(node.text) if isinstance(node, ScalarNode) else ""
        message = f"the key `{text}` is not text" if text else "a key must be text"
        help = f'quote it: "{text}"' if text else _template_help(node)
        self._report.error("key-not-text", node.span, message, help=help)
        return ScalarNode(text, text, node.span)

    def _check_missing_space(self, key: ScalarNode, value: ScalarNode) -> None:
        """Report `{op:linear}`, which to YAML is the key `op:linear` without a value."""
        colon = key.text.find(":")
        to_data = key.span.end_column - key.span.column == len(key.text)
        if 0 < colon < len(key.text) - 1 and to_data and _end(key) == _end(value):
            self._report.add(missing_space_error(key.part(colon, colon + 1)))

    def _check_properties(self, event: Any) -> None:
        text, start = self._source.text, event.start_mark.index
        if event.anchor is not None:
            at = text.find("&", start)
            span = self._source.span(at, at + 1 + len(event.anchor))
            message = f"YAML anchors are not supported: `&{shorten(event.anchor)}`"
            self._report.error("yaml-anchor", span, message, help=_REUSE)
        if event.tag is not None and (match := _TAG.search(text, start)):
            span = self._source.span(match.start(), match.end())
            message = f"YAML tags are not supported: `{shorten(match[0])}`"
            help = other_names.TAGS.get(match[0], "remove it, or quote the text")
            self._report.error("yaml-tag", span, message, help=help)

    def _too_many(self, node: YamlNode) -> None:
        message = f"the file contains more than {self._limits.nodes:,} values"
        self._stop("too-large", node.span, message)

    def _stop(self, code: str, span: Span, message: str, help: str = "") -> NoReturn:
        self._report.error(code, span, message, help=help)
        raise _Stop

    def _span(self, start: Any, end: Any) -> Span:
        return Span(
            self._file, start.line + 1, start.column + 1, end.line + 1, end.column + 1
        )


def _end(node: YamlNode) -> tuple[int, int]:
    return node.span.end_line, node.span.end_column


def _template_help(key: YamlNode) -> str:
    """What to write for `{{ width }}`, which to YAML is a mapping whose key is a mapping."""
    if not isinstance(key, MappingNode) or len(key.entries) != 1:
        return ""
    found = other_names.template(f"{{{{{key.entries[0][0].text}}}}}")
    return found[2] if found is not None else ""
