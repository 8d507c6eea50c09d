"""A document's entries with the comments that belong to them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field

from compiler.diagnostics.source import Source, Span
from compiler.fmt.comments import Comment, Point, find_comments
from compiler.parse.document import (
    Document,
    MappingNode,
    ScalarNode,
    SequenceNode,
    YamlNode,
)


@dataclass(eq=False)
class Item:
    """An entry of a mapping, or an item of a list (then it has no key)."""

    key: ScalarNode | None
    node: YamlNode
    parent: Item | None
    flow: bool
    """Whether its own collection is written within brackets."""
    before: list[str] = field(default_factory=list)
    """The comments above it; "" for a blank line."""
    trailing: str = ""
    """The comment on its line."""
    after: list[str] = field(default_factory=list)
    """The comments below it that are not above anything."""
    children: list[Item] = field(default_factory=list)

    @property
    def start(self) -> Point:
        """Where it starts."""
        span = self.node.span if self.key is None else self.key.span
        return span.line, span.column

    @property
    def column(self) -> int:
        """The column that its neighbours start in; that of the dash in a list."""
        dash = 2 if self.key is None and self.parent is not None else 0
        return self.start[1] - dash

    @property
    def commented(self) -> bool:
        """Whether a comment stands somewhere inside."""
        return any(
            child.trailing or any(child.before) or child.after or child.commented
            for child in self.children
        )


def read_items(document: Document) -> Item:
    """The root of a document, with all comments and single blank lines kept."""
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
    """The root of a document without comments, all of it free to stand in one line."""
    item = Item(None, root, None, True)
    _add_children(item, None)
    return item


def is_flow(node: YamlNode, source: Source) -> bool:
    """Whether a collection is written within brackets."""
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
        _closed(previous, comment.at).trailing = comment.text
        return
    owner = previous and _ended(previous, comment, following)
    if owner is not None:
        owner.after += (*space, comment.text)
    elif following is not None:
        following.before += (*space, comment.text)


def _closed(item: Item, at: Point) -> Item:
    """The outermost entry whose brackets close before a place on the same line."""
    while item.flow and item.parent is not None and _end(item.parent.node) <= at:
        item = item.parent
    return item


def _ended(previous: Item, comment: Comment, following: Item | None) -> Item | None:
    """The entry that a comment on its own line stands below, if not above the next.

    That is so at the end of brackets, and where it is indented like what is before it
    and deeper than what comes.
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


def _end(node: YamlNode) -> Point:
    span: Span = node.span
    return span.end_line, span.end_column


def _blank(source: Source, line: int) -> bool:
    """Whether a line is there and holds nothing."""
    return line > 0 and not source.line(line).strip()
