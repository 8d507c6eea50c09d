"""Document -> Document without what is wrong, and the layers of which nothing is known then.

While a spec is written, a layer is half there. What does not depend on it has the types that it will have; of what
does, nothing is known.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import field, replace

from compiler.dataclass import dataclass
from compiler.diagnostics.source import Span
from compiler.editing.name_scopes import layers_on
from compiler.parse.document import (
    Document,
    MappingNode,
    ScalarNode,
    SequenceNode,
    YamlNode,
)
from compiler.parse.path_error import Path

_BY_NAME = ("params", "variants", "dims", "outputs", "networks", "blocks", "import")
_WHOLE = ("expect", "init", "checkpoint", "task", "step", "description", "reference")
"""Sections on which no type of a layer depends."""


@dataclass(frozen=True, slots=True)
class Pruned:
    """A document without some of its entries.

    Attributes:
        document: what is left.
        unsure: the layers whose input may be another than the one that is written next, by their paths.
        ended: the scopes that have lost their last layer, by their paths: their output may be another.
        left_out: the paths of what was left out.
    """

    document: Document
    unsure: frozenset[Path] = field(default_factory=frozenset)
    ended: frozenset[Path] = field(default_factory=frozenset)
    left_out: frozenset[Path] = field(default_factory=frozenset)


def prune(pruned: Pruned, faults: Collection[Span]) -> Pruned | None:
    """The document without the entries that faults are in; None where there is nothing to leave out for one of them."""
    for fault in dict.fromkeys(faults):
        path = _entry(pruned.document, fault)
        if path is None:
            return None
        if pruned.document.node(path) is not None:  # or another fault took it along
            pruned = _without(pruned, path)
    return pruned


def _entry(document: Document, fault: Span) -> Path | None:
    """The entry that a fault is in: the innermost layer, or an entry of a section."""
    path = path_at(document.root, fault)
    layers = [one for one in layers_on(path) if one[-2] == "layers"]
    if layers:
        return layers[-1]
    if not path:
        return None
    scope = 2 if path[0] in ("blocks", "networks") and len(path) > 2 else 0
    section = path[scope : scope + 1]
    if section in (("params",), ("outputs",)) and len(path) > scope + 1:
        return path[: scope + 2]
    if scope:
        return path[:2]
    if path[0] in _WHOLE or (path[0] in _BY_NAME and len(path) == 1):
        return path[:1]
    if path[0] in _BY_NAME:
        return path[:2]
    known = ("name", "inputs", "layers", "extends", "network")
    return None if path[0] in known else path[:1]


def path_at(root: YamlNode, place: Span) -> Path:
    """The way to the innermost entry that a place begins in."""
    path: Path = ()
    node = root
    while True:
        for step, key, value in _entries(node):
            if _begins_in(place, value.span) or (key and _begins_in(place, key.span)):
                path, node = (*path, step), value
                break
        else:
            return path


def _entries(
    node: YamlNode,
) -> Iterator[tuple[str | int, ScalarNode | None, YamlNode]]:
    if isinstance(node, MappingNode):
        yield from ((key.text, key, value) for key, value in node.entries)
    elif isinstance(node, SequenceNode):
        yield from ((number, None, item) for number, item in enumerate(node.items))


def _begins_in(place: Span, span: Span) -> bool:
    start = place.line, place.column
    first, last = (span.line, span.column), (span.end_line, span.end_column)
    return place.file == span.file and (first <= start < last or start == first)


def _without(pruned: Pruned, path: Path) -> Pruned:
    unsure, ended = set(pruned.unsure), set(pruned.ended)
    parent = pruned.document.node(path[:-1])
    if layers_on(path)[-1:] == [path] and not isinstance(parent, ScalarNode):
        _note_follower(pruned.document, path, unsure, ended)
    elif path[-2:-1] == ("outputs",):
        ended.add(path[:-2])
    root = _removed(pruned.document.root, path)
    assert isinstance(root, MappingNode)
    document = replace(pruned.document, root=root)
    left_out = pruned.left_out | {path}
    return Pruned(document, frozenset(unsure), frozenset(ended), left_out)


def _note_follower(
    document: Document, path: Path, unsure: set[Path], ended: set[Path]
) -> None:
    """The layer after one that is left out may take its output, and so may the scope."""
    parent = document.node(path[:-1])
    steps = [step for step, _, _ in _entries(parent)] if parent else []
    after = steps[steps.index(path[-1]) + 1 :]
    unsure.discard(path)
    if isinstance(parent, SequenceNode):  # those after it get other numbers
        unsure.update((*path[:-1], step) for step in steps)
        ended.add(path[:-2])
    elif after:
        unsure.add((*path[:-1], after[0]))
    else:
        ended.add(path[:-2])


def _removed(node: YamlNode, path: Path) -> YamlNode:
    """The node without the entry at a path below it; without a mapping that has no other entry, too."""
    step, rest = path[0], path[1:]
    if isinstance(node, SequenceNode):
        assert isinstance(step, int)
        items = list(node.items)
        if rest:
            items[step] = _removed(items[step], rest)
        else:
            del items[step]
        return SequenceNode(tuple(items), node.span)
    assert isinstance(node, MappingNode)
    entries = []
    for key, value in node.entries:
        if key.text == step:
            if not rest:
                continue
            value = _removed(value, rest)
            if not isinstance(value, ScalarNode) and not [*_entries(value)]:
                continue
        entries.append((key, value))
    return MappingNode(tuple(entries), node.span)
