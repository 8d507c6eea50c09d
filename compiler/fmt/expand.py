"""TypedGraph -> an equivalent spec in one file, without variants and imports.

The defaults of its params are the values that were chosen. It compiles to the same Python.
A param that depends on others (`hidden: 4 * width`) keeps its formula if that gives its value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from compiler.fmt.write_spec import to_node
from compiler.ir.counts import ParameterCounter
from compiler.ir.graph import Alternatives, Graph, Node, Scope
from compiler.ir.typed import Instance, TypedGraph, hashable
from compiler.language.params import Param
from compiler.op.arg_types import Formula
from compiler.parse.document import (
    Document,
    MappingNode,
    ScalarNode,
    SequenceNode,
    YamlNode,
)
from compiler.symbolic.evaluate import ExpressionError, Value, evaluate

_Values = dict[str, Any]


def expand(typed: TypedGraph, task: YamlNode | None = None) -> MappingNode:
    """The root of the expanded spec.

    Args:
        task: the task with all changes by variants and options; None if there is none.
    """
    root = _items(_Expander(typed).root())
    if task is not None:
        blocks = root.pop("blocks", None)
        root = {**root, "task": task, **({} if blocks is None else {"blocks": blocks})}
    return _mapping(root)


class _Expander:
    def __init__(self, typed: TypedGraph) -> None:
        self.typed, self.spec = typed, typed.graph.spec
        self.scopes = list(_used_blocks(typed))
        self.names = _block_names(self.scopes)

    def root(self) -> MappingNode:
        """The sections of the file in their order, blocks last."""
        document = self.typed.graph.document
        root = _items(document.root)
        for dropped in ("extends", "variants", "import", "blocks", "task"):
            root.pop(dropped, None)
        if "params" in root:
            root["params"] = self._params(root["params"])
        if "expect" in root:
            root["expect"] = self._expect(root["expect"])
        for name, network in self.typed.graph.networks.items():
            changed = self._scope(network)
            if name:
                root["networks"] = _with(root["networks"], {name: changed})
            else:
                root["layers"] = _items(changed)["layers"]
        order = dict.fromkeys((*self.typed.graph.blocks.values(), *self.scopes))
        blocks = {self.names[id(scope)]: self._scope(scope) for scope in order}
        return _mapping({**root, **({"blocks": blocks} if blocks else {})})

    def _params(self, written: YamlNode) -> YamlNode:
        values = self.typed.params
        changes = {
            name: _chosen(written.get(name), param, values[name])
            for name, param in self.spec.params.items()
            if isinstance(written, MappingNode)
            and not _has_default_value(param, values[name], values)
        }
        document = self.typed.graph.document
        return self._renamed_ops(_with(written, changes), self.spec.params, document)

    def _expect(self, written: YamlNode) -> YamlNode:
        """The expectations; a parameter count for other params is replaced by the new count."""
        if not self.typed.adjusted or self.spec.expect.parameters is None:
            return written
        counter = ParameterCounter()
        networks = self.typed.networks.items()
        counts = {name: counter.instance(instance) for name, instance in networks}
        alone = sum(counts.values())
        several = isinstance(self.spec.expect.parameters, dict)
        return _with(written, {"parameters": counts if several else alone})

    def _scope(self, scope: Scope) -> YamlNode:
        """A network, block or group as written, with blocks renamed as in the new file."""
        document = scope.place.document
        written = document.node(scope.place.path)
        assert isinstance(written, MappingNode)
        changes: _Values = {"layers": self._layers(scope, written.get("layers"))}
        params = written.get("params")
        if scope.kind == "block" and params is not None:
            changes["params"] = self._renamed_ops(params, scope.params, document)
        return _with(written, changes)

    def _renamed_ops(
        self, written: YamlNode, params: Mapping[str, Param], document: Document
    ) -> YamlNode:
        """The params of a scope, with blocks renamed in the defaults of those of type `op`."""
        changes: _Values = {}
        for name, param in params.items():
            one = written.get(name) if isinstance(written, MappingNode) else None
            if param.type != "op" or not isinstance(one, MappingNode):
                continue
            default = one.get("default")
            if isinstance(default, ScalarNode):
                renamed = self._renamed_block(default, document)
                changes[name] = _with(one, {"default": renamed})
        return _with(written, changes)

    def _layers(self, scope: Scope, written: YamlNode | None) -> YamlNode:
        assert isinstance(written, MappingNode | SequenceNode)
        layers = dict(self._renamed_layers(scope))
        if isinstance(written, SequenceNode):
            items = enumerate(written.items)
            return to_node([layers.get(str(i), layer) for i, layer in items])
        return _with(written, layers)

    def _renamed_layers(self, scope: Scope) -> Iterator[tuple[str, YamlNode]]:
        """The layers that run or name a block, renamed; groups with all layers in them."""
        for name, node in scope.nodes.items():
            renamed = self._renamed_layer(node, scope)
            if renamed is not None:
                yield name, renamed

    def _renamed_layer(self, node: Node, scope: Scope) -> YamlNode | None:
        """A layer that runs or names a block, renamed; None where it is written elsewhere."""
        written = node.place.document.node(node.place.path)
        target = node.target
        if isinstance(target, Scope) and target.kind == "group":
            return self._scope(target)
        if written is None or node.shared:
            return None
        if not isinstance(target, Alternatives):
            return self._renamed(written, scope.place.document)
        found = [self._renamed_layer(one, scope) for one in target.nodes]
        return _with(written, {"choose": to_node(found)})

    def _renamed(self, written: YamlNode, document: Document) -> YamlNode:
        """A layer with its blocks renamed, in `op` and in arguments."""
        if isinstance(written, ScalarNode):
            return self._renamed_block(written, document)
        if not isinstance(written, MappingNode):
            return written
        values = {key.text: value for key, value in written.entries}
        scalars = {k: v for k, v in values.items() if isinstance(v, ScalarNode)}
        return _with(
            written, {k: self._renamed_block(v, document) for k, v in scalars.items()}
        )

    def _renamed_block(self, written: ScalarNode, document: Document) -> ScalarNode:
        """A text that may name a block of its file, with the name that this has in the new file."""
        blocks = self.typed.graph.named.get(document.source.file, {})
        scope = blocks.get(written.text) if written.value == written.text else None
        name = written.text if scope is None else self.names[id(scope)]
        same = name == written.text
        return written if same else ScalarNode(name, name, written.span)


def _used_blocks(typed: TypedGraph) -> Iterator[Scope]:
    """The blocks in use, in the order in which their classes are named; then all others, and what they name."""
    done: list[Scope] = []
    visited: set[int] = set()
    for instance in typed.networks.values():
        _visit(instance, visited, done)
    found = dict.fromkeys((*done, *typed.graph.blocks.values()))
    pending = list(found)
    while pending:
        for scope in _named_in(pending.pop(), typed.graph):
            if scope not in found:
                found[scope] = None
                pending.append(scope)
    return (scope for scope in found if scope.kind == "block")


def _named_in(scope: Scope, graph: Graph) -> Iterator[Scope]:
    """The blocks and groups that a scope names, where they do not run, too."""
    blocks = graph.named.get(scope.place.document.source.file, {})
    for node in scope.each_node():
        if isinstance(node.target, Scope):
            yield node.target
        texts = (one for one in node.arguments.values() if isinstance(one, str))
        yield from (blocks[text] for text in texts if text in blocks)
    defaults = (one.default for one in scope.params.values() if one.type == "op")
    yield from (blocks[name] for name in defaults if name in blocks)


def _visit(instance: Instance, visited: set[int], done: list[Scope]) -> None:
    if id(instance) in visited:
        return
    visited.add(id(instance))
    for node in instance.nodes.values():
        for call in node.calls:
            if call.instance is not None:
                _visit(call.instance, visited, done)
    done.append(instance.scope)


def _block_names(scopes: list[Scope]) -> dict[int, str]:
    """A name for each block by the id of its scope; blocks of the same name are numbered from the second on."""
    names: dict[int, str] = {}
    taken: set[str] = set()
    for scope in scopes:
        name, number = scope.name, 2
        while name in taken:
            name, number = f"{scope.name}{number}", number + 1
        names[id(scope)] = name
        taken.add(name)
    return names


def _has_default_value(param: Param, value: Value, values: Mapping[str, Value]) -> bool:
    """Whether a param has the value of its default."""
    try:
        default = _evaluated(param.default, values)
    except ExpressionError:
        return False
    same: bool = hashable(default) == hashable(value)
    return same


def _evaluated(default: Any, values: Mapping[str, Value]) -> Any:
    """A default value, or a list of them, with formulas evaluated."""
    if isinstance(default, list):
        return [_evaluated(item, values) for item in default]
    return evaluate(default.expr, values) if isinstance(default, Formula) else default


def _chosen(written: YamlNode | None, param: Param, value: Value) -> YamlNode:
    """A param with the chosen value as its default."""
    if isinstance(written, MappingNode):
        return _with(written, {"default": value})
    if param.type is not None:
        return to_node({"type": param.type, "default": value})
    return to_node(value)


def _items(node: YamlNode) -> _Values:
    assert isinstance(node, MappingNode)
    return {key.text: value for key, value in node.entries}


def _mapping(items: _Values) -> MappingNode:
    made = to_node(items)
    assert isinstance(made, MappingNode)
    return made


def _with(node: YamlNode, changes: _Values) -> YamlNode:
    """A mapping with some values replaced, in the same order."""
    return _mapping({**_items(node), **changes}) if changes else node
