"""The entries of a document with their comments."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import field

from compiler.dataclass import dataclass
from compiler.diagnostics.source import Source, Span
from compiler.fmt.comments import Comment, LineColumn, find_comments
from compiler.parse.document import (
    Document,
    MappingNode,
    ScalarNode,
    SequenceNode,
    YamlNode,
)


@dataclass(eq=False)
class Item:
    """An entry of a mapping, or an item of a list, whose key is None."""

    key: ScalarNode | None
    node: YamlNode
    parent: Item | None
    flow: bool
    """Whether the collection that it is in is written in brackets."""
    before: list[str] = field(default_factory=list)
    """The comments above it; "" for a blank line."""
    trailing: str = ""
    """The comment at the end of its line."""
    after: list[str] = field(default_factory=list)
    """The comments below it that are not above another item."""
    children: list[Item] = field(default_factory=list)

    @property
    def start(self) -> LineColumn:
        """The position at which it starts."""
        span = self.node.span if self.key is None else self.key.span
        return span.line, span.column

    @property
    def column(self) -> int:
        """The column in which its siblings start too; in a list, that of the dash."""
        dash = 2 if self.key is None and self.parent is not None else 0
        return self.start[1] - dash

    @property
    def commented(self) -> bool:
        """Whether there is a comment inside it."""
        return any(
            child.trailing or any(child.before) or child.after or child.commented
            for child in self.children
        )


def read_items(document: Document) -> Item:
    """The root item of a document, with its comments and single blank lines."""
    root = Item(None, document.root, None, False)
    _add_children(root, document.source)
    items = list(_walk(root))
    starts = [item.start for item in items]
    for comment in find_comments(document):
        position = bisect_left(starts, comment.at)
        previous = items[position - 1] if position else None
        following = items[position] if position < len(items) else None
        space = [""] if _blank(document.source, comment.at[0] - 1) else []
        _attach(comment, previous, following, space)
    for item in items:
        if not item.flow and _blank(document.source, item.start[0] - 1):
            item.before.append("")
    return root


def bare_items(root: MappingNode) -> Item:
    """The root item of a mapping without comments, whose collections may all be written in brackets."""
    item = Item(None, root, None, True)
    _add_children(item, None)
    return item


def is_flow(node: YamlNode, source: Source) -> bool:
    """Whether a collection is written in brackets."""
    span = node.span
    return source.line(span.line)[span.column - 1 : span.column] in ("{", "[")


def _add_children(item: Item, source: Source | None) -> None:
    if isinstance(item.node, ScalarNode):
        return
    flow = source is None or is_flow(item.node, source)
    if isinstance(item.node, MappingNode):
        pairs: list[tuple[ScalarNode | None, YamlNode]] = list(item.node.entries)
    elif isinstance(item.node, SequenceNode):
        pairs = [(None, node) for node in item.node.items]
    for key, node in pairs:
        child = Item(key, node, item, flow)
        item.children.append(child)
        _add_children(child, source)


def _walk(root: Item) -> Iterator[Item]:
    for child in root.children:
        yield child
        yield from _walk(child)


def _attach(
    comment: Comment, previous: Item | None, following: Item | None, space: list[str]
) -> None:
    if previous is not None and not comment.alone:
        _outermost_closed(previous, comment.at).trailing = comment.text
        return
    owner = previous and _owner_above(previous, comment, following)
    if owner is not None:
        owner.after += (*space, comment.text)
    elif following is not None:
        following.before += (*space, comment.text)


def _outermost_closed(item: Item, at: LineColumn) -> Item:
    """The outermost item whose brackets close before a position on the same line."""
    while item.flow and item.parent is not None and _end(item.parent.node) <= at:
        item = item.parent
    return item


def _owner_above(
    previous: Item, comment: Comment, following: Item | None
) -> Item | None:
    """The item to which a comment below it belongs; None if the comment belongs to the item that follows.

    A comment belongs to the item before it at the end of brackets, and where it is indented
    like that item and deeper than the item that follows.
    """
    item = previous
    while item.flow and item.parent is not None:
        if comment.at < _end(item.parent.node):
            inside = following and following.start < _end(item.parent.node)
            return None if inside else item
        item = item.parent
    while (
        item.column > comment.at[1] and item.parent is not None and item.parent.parent
    ):
        item = item.parent
    deeper = following is None or item.column > following.column
    return item if deeper else None


def _end(node: YamlNode) -> LineColumn:
    span: Span = node.span
    return span.end_line, span.end_column


def _blank(source: Source, line: int) -> bool:
    """Whether a line exists and is blank."""
    return line > 0 and not source.line(line).strip()
