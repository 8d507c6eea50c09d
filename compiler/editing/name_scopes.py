"""The names that each scope of a document declares: values, params, dimensions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field
from typing import Literal

from compiler.dataclass import dataclass
from compiler.diagnostics.source import Span
from compiler.expr.syntax import ExpressionError, variables
from compiler.language.params import TYPE_NAMES
from compiler.parse.document import (
    Document,
    MappingNode,
    ScalarNode,
    SequenceNode,
    YamlNode,
)
from compiler.parse.path_error import Path
from compiler.symbolic.tensor import parse_pattern


@dataclass(slots=True, eq=False)
class NameScope:
    """A network, a block or a group; the file itself is that of its only network, and has the params of all.

    Attributes:
        values: what `in` can name: inputs and layers.
        ops: the op or block of each layer, as written.
        params: the type of each param, as far as it is written.
        dims: where each dimension is declared.
    """

    path: Path
    around: NameScope | None = None
    values: dict[str, Literal["layer", "input"]] = field(default_factory=dict)
    ops: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, Span] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    dims: dict[str, Span] = field(default_factory=dict)

    @property
    def environment(self) -> NameScope:
        """The scope whose params and dimensions formulas see: for networks and their groups the file."""
        scope = self
        while scope.around is not None:
            scope = scope.around
        return scope

    def home_of(self, name: str) -> NameScope | None:
        """The scope whose value a name is: this one, or for a group one around it."""
        scope: NameScope | None = self
        while scope is not None and name not in scope.values:
            scope = scope.around
        return scope


def network_paths(root: MappingNode) -> list[Path]:
    """The paths of the networks; that of the only one is the file's."""
    networks = root.get("networks")
    if isinstance(networks, MappingNode):
        return [("networks", key.text) for key, _ in networks.entries]
    return [()]


def layers_on(path: Path) -> list[Path]:
    """The layers that a path leads through, the outermost first; what `choose` lists counts as layers.

    >>> layers_on(("blocks", "Stage", "layers", "layers", "op"))
    [('blocks', 'Stage', 'layers', 'layers')]
    """
    end = 2 if path[:1] in (("blocks",), ("networks",)) else 0
    found: list[Path] = []
    while path[end : end + 1] == ("layers",) and len(path) > end + 1:
        end += 2
        found.append(path[:end])
        if path[end : end + 1] == ("choose",) and len(path) > end + 1:
            end += 2
            found.append(path[:end])
    return found


def name_scopes(document: Document) -> dict[Path, NameScope]:
    """All scopes by their paths, with that of the file at ()."""
    root = NameScope(())
    found: dict[Path, NameScope] = {(): root}
    _read_params(document.root.get("params"), root)
    for key, _ in _entries(document.root.get("dims")):
        root.dims[key.text] = key.span
    for path in network_paths(document.root):
        scope = NameScope(path, root) if path else root
        found[path] = scope
        _read_scope(document, scope, found)
    for key, block in _entries(document.root.get("blocks")):
        scope = found["blocks", key.text] = NameScope(("blocks", key.text))
        if isinstance(block, MappingNode):
            _read_params(block.get("params"), scope)
        _read_scope(document, scope, found)
    return found


def _read_params(node: YamlNode | None, scope: NameScope) -> None:
    for key, value in _entries(node):
        declared = value.get("type") if isinstance(value, MappingNode) else value
        text = declared.text if isinstance(declared, ScalarNode) else ""
        scope.params[key.text] = text if text in TYPE_NAMES else ""


def _read_scope(
    document: Document, scope: NameScope, found: dict[Path, NameScope]
) -> None:
    inputs = document.node((*scope.path, "inputs"))
    for key, value in _entries(inputs):
        scope.values[key.text] = "input"
        if isinstance(value, ScalarNode):
            _read_dims(value, scope.environment)
    _read_layers(document, scope, found)


def _read_layers(
    document: Document, scope: NameScope, found: dict[Path, NameScope]
) -> None:
    for key, _ in _entries(document.node((*scope.path, "outputs"))):
        scope.outputs[key.text] = key.span
    for step, layer in _layers(document.node((*scope.path, "layers"))):
        if isinstance(step, str):
            scope.values[step] = "layer"
        if isinstance(layer, ScalarNode):
            scope.ops[str(step)] = layer.text
        if not isinstance(layer, MappingNode):
            continue
        op = layer.get("op")
        scope.ops[str(step)] = op.text if isinstance(op, ScalarNode) else ""
        path = (*scope.path, "layers", step)
        if layer.get("layers") is not None:
            _read_group(document, NameScope(path, scope), layer, found)
        choose = layer.get("choose")
        for number, one in (
            enumerate(choose.items) if isinstance(choose, SequenceNode) else ()
        ):
            if isinstance(one, MappingNode) and one.get("layers") is not None:
                inner = NameScope((*path, "choose", number), scope)
                _read_group(document, inner, one, found)


def _read_group(
    document: Document,
    group: NameScope,
    layer: MappingNode,
    found: dict[Path, NameScope],
) -> None:
    for key, _ in _entries(layer.get("in")):
        group.values[key.text] = "input"
    found[group.path] = group
    _read_layers(document, group, found)


def _read_dims(node: ScalarNode, around: NameScope) -> None:
    """The dimensions that the type of an input introduces."""
    try:
        sizes = parse_pattern(node.text).dims
    except ExpressionError:
        return
    for name in (name for size in sizes for name in variables(size)):
        if name.id not in around.params:
            around.dims.setdefault(name.id, node.part(name.start, name.end))


def _entries(node: YamlNode | None) -> tuple[tuple[ScalarNode, YamlNode], ...]:
    return node.entries if isinstance(node, MappingNode) else ()


def _layers(node: YamlNode | None) -> Iterator[tuple[str | int, YamlNode]]:
    if isinstance(node, SequenceNode):
        yield from enumerate(node.items)
    else:
        yield from ((key.text, value) for key, value in _entries(node))
