"""Every name in a document with what it names: where that is declared, and wherever it is used.

It is read off the nodes, and so is there while a spec is half written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, Literal

from compiler.dataclass import dataclass
from compiler.diagnostics.source import Span
from compiler.editing.name_scopes import NameScope, name_scopes, network_paths
from compiler.expr.given import asked_inputs
from compiler.expr.syntax import (
    Expression,
    ExpressionError,
    Given,
    Variable,
    variables,
)
from compiler.language.layers import LAYER_KEYS, OPTIONAL
from compiler.op.arg_docs import alternatives
from compiler.op.arg_types import after_dollar
from compiler.op.op import arguments
from compiler.op.registry import find_op
from compiler.parse.document import (
    Document,
    MappingNode,
    ScalarNode,
    SequenceNode,
    YamlNode,
)
from compiler.parse.path_error import Path
from compiler.symbolic.evaluate import parse_expression
from compiler.symbolic.tensor import parse_pattern, parse_sizes

Kind = Literal[
    "layer",
    "input",
    "output",
    "param",
    "dimension",
    "block",
    "network",
    "variant",
    "op",
    "argument",
    "port",
    "file",
]

FILL: Final = re.compile(r"\s*(?:zeros|ones)\s*\[(.*)\]\s*", re.DOTALL)
_WORD: Final = re.compile(r"[^.\s]+")


@dataclass(frozen=True, slots=True)
class Named:
    """What a name is of: `home` is the path of the scope that declares it.

    That of an argument, and of an input of an op, is the name of the op; that of an output of an op, the path of the
    layer.
    """

    kind: Kind
    name: str
    home: Path = ()


@dataclass(frozen=True, slots=True)
class Mention:
    """A name at its place in the text; `path` leads to the value or the key that it is in."""

    of: Named
    span: Span
    path: Path
    declares: bool = False


Kinds = Mapping[str, Mapping[str, str]]
"""The types of the params of blocks, by the names of these."""


def mentions(document: Document, imported: Kinds | None = None) -> tuple[Mention, ...]:
    """All names of a document.

    Args:
        document: a spec, which may lack parts.
        imported: the blocks of other files, as far as they are known.
    """
    return tuple(_NameReader(document, imported or {}).all())


def bases_named(document: Document) -> Iterator[Mention]:
    """The file that a spec extends, or that a recipe trains the network of."""
    for key in ("extends", "network"):
        base = document.root.get(key)
        if isinstance(base, ScalarNode) and base.text:
            yield Mention(Named("file", base.text), base.span, (key,))


class _NameReader:
    def __init__(self, document: Document, imported: Kinds) -> None:
        self.document, self.root = document, document.root
        self.imported = imported
        self.scopes = name_scopes(document)

    def all(self) -> Iterator[Mention]:
        """All names, by section."""
        root = self.scopes[()]
        for name, span in _keys(self.root.get("blocks")):
            yield Mention(_block(name), span, ("blocks", name), True)
        for name, node in _pairs(self.root.get("import")):
            span = self.document.locate(("import", name), key=True)
            yield Mention(_block(name), span, ("import", name), True)
            if isinstance(node, ScalarNode):
                yield Mention(Named("file", node.text), node.span, ("import", name))
        yield from bases_named(self.document)
        yield from self._params(root, ("params",))
        yield from self._of_root(root)
        for path in network_paths(self.root):
            yield from self._scope(path, self.scopes[path])
        for name, _ in _pairs(self.root.get("blocks")):
            path = ("blocks", name)
            yield from self._params(self.scopes[path], (*path, "params"))
            yield from self._scope(path, self.scopes[path])

    # The sections of a file.

    def _of_root(self, root: NameScope) -> Iterator[Mention]:
        for name, span in _keys(self.root.get("dims")):
            yield Mention(Named("dimension", name), span, ("dims", name), True)
        yield from self._formulas(root, ("dims",))
        yield from self._step(root)
        for variant, given in _pairs(self.root.get("variants")):
            span = self.document.locate(("variants", variant), key=True)
            yield Mention(Named("variant", variant), span, ("variants", variant), True)
            yield from self._given(root, given, ("variants", variant))
        for name, span in _keys(self.root.get("networks")):
            yield Mention(Named("network", name), span, ("networks", name), True)
        yield from self._expected(root)
        yield from self._initial(root)
        yield from self._published()
        for path, item in _scalars(self.root.get("task"), ("task",)):
            if item.text.startswith("$"):
                yield from self._op(item.text, item.span, path, root)

    def _step(self, root: NameScope) -> Iterator[Mention]:
        node = self.root.get("step")
        if isinstance(node, ScalarNode):
            yield from self._dimension(node, ("step",))
        for name, inputs in _pairs(node):
            key = self.document.locate(("step", name), key=True)
            yield Mention(Named("dimension", name), key, ("step", name))
            for path, item in _scalars(inputs, ("step", name)):
                yield from self._value(root, item, path)

    def _dimension(self, node: ScalarNode, path: Path) -> Iterator[Mention]:
        if node.text:
            yield Mention(Named("dimension", node.text), node.span, path)

    def _given(self, root: NameScope, given: YamlNode, path: Path) -> Iterator[Mention]:
        for name, value in _pairs(given):
            if name in root.params:
                key = self.document.locate((*path, name), key=True)
                yield Mention(Named("param", name), key, (*path, name))
            if root.params.get(name) == "op" and isinstance(value, ScalarNode):
                yield from self._op(value.text, value.span, (*path, name), root)

    def _expected(self, root: NameScope) -> Iterator[Mention]:
        for name, value in _pairs(self.root.get("expect")):
            path: Path = ("expect", name)
            if name == "parameters":
                continue
            key = self.document.root.get("expect")
            node = key.key(name) if isinstance(key, MappingNode) else None
            if node is not None:
                yield from self._output_or_layer(root, node, path)
            if isinstance(value, ScalarNode):
                yield from self._pattern(root, value, path)

    def _output_or_layer(
        self, root: NameScope, node: ScalarNode, path: Path
    ) -> Iterator[Mention]:
        first, _, _ = node.text.partition(".")
        span = node.part(0, len(first))
        for home in network_paths(self.root):
            scope = self.scopes[home]
            if node.text in scope.outputs:
                yield Mention(Named("output", node.text, home), node.span, path)
                return
            if first in scope.values:
                yield Mention(Named(scope.values[first], first, home), span, path)
                return

    def _initial(self, root: NameScope) -> Iterator[Mention]:
        section = self.root.get("init")
        for name, tensors in _pairs(section):
            span = self.document.locate(("init", name), key=True)
            yield from self._op(name, span, ("init", name), root)
            for tensor, initial in _pairs(tensors):
                yield from self._initializer(root, initial, ("init", name, tensor))

    def _initializer(
        self, scope: NameScope, initial: YamlNode, path: Path
    ) -> Iterator[Mention]:
        for name, given in _pairs(initial):
            yield from self._formulas(scope, (*path, name), given)

    def _published(self) -> Iterator[Mention]:
        """The names of layers in the patterns of a checkpoint."""
        section = self.root.get("checkpoint")
        if not isinstance(section, MappingNode):
            return
        places: list[tuple[Path, Path]] = [(("checkpoint",), ())]
        places += [(("checkpoint", n), ("networks", n)) for n, _ in _pairs(section)]
        for path, home in places:
            tensors = self.document.node((*path, "tensors"))
            if home not in self.scopes or not isinstance(tensors, MappingNode):
                continue
            for key, _ in tensors.entries:
                yield from self._tensor(
                    self.scopes[home], key, (*path, "tensors", key.text)
                )

    # A network or a block.

    def _params(self, scope: NameScope, path: Path) -> Iterator[Mention]:
        section = self.document.node(path)
        for name, node in _pairs(section):
            span = self.document.locate((*path, name), key=True)
            yield Mention(Named("param", name, scope.path), span, (*path, name), True)
            texts = scope.params.get(name) in ("str", "op", "str[]")
            default = node.get("default") if isinstance(node, MappingNode) else node
            below = ("default",) if isinstance(node, MappingNode) else ()
            if scope.params.get(name) == "op" and isinstance(default, ScalarNode):
                yield from self._op(
                    default.text, default.span, (*path, name, *below), scope
                )
            elif not texts and default is not None:
                yield from self._formulas(scope, (*path, name, *below), default)

    def _scope(self, path: Path, scope: NameScope) -> Iterator[Mention]:
        for name, node in _pairs(self.document.node((*path, "inputs"))):
            below: Path = (*path, "inputs", name)
            span = self.document.locate(below, key=True)
            yield Mention(Named("input", name, path), span, below, True)
            if isinstance(node, ScalarNode):
                yield from self._pattern(scope, node, below)
        yield from self._layers(path, scope)
        yield from self._outputs(path, scope)

    def _outputs(self, path: Path, scope: NameScope) -> Iterator[Mention]:
        node = self.document.node((*path, "outputs"))
        for name, span in _keys(node):
            below = (*path, "outputs", name)
            yield Mention(Named("output", name, path), span, below, True)
        for below, item in _scalars(node, (*path, "outputs")):
            yield from self._value(scope, item, below)

    def _pattern(
        self, scope: NameScope, node: ScalarNode, path: Path
    ) -> Iterator[Mention]:
        try:
            sizes = parse_pattern(node.text).dims
        except ExpressionError:
            return
        yield from self._names(scope, sizes, node, path)

    def _layers(self, path: Path, scope: NameScope) -> Iterator[Mention]:
        layers = self.document.node((*path, "layers"))
        for name, span in _keys(layers):
            below = (*path, "layers", name)
            yield Mention(Named("layer", name, path), span, below, True)
        for step, layer in _children(layers):
            yield from self._layer(scope, (*path, "layers", step), layer)

    def _layer(self, scope: NameScope, path: Path, node: YamlNode) -> Iterator[Mention]:
        if isinstance(node, ScalarNode):
            yield from self._op(node.text, node.span, path, scope)
        if not isinstance(node, MappingNode):
            return
        op = _text(node.get("op"))
        for key, value in node.entries:
            below = (*path, key.text)
            if key.text not in LAYER_KEYS:
                yield from self._argument(scope, op, key, value, below)
            else:
                yield from self._key(scope, op, key, value, below)

    def _key(
        self, scope: NameScope, op: str, key: ScalarNode, value: YamlNode, path: Path
    ) -> Iterator[Mention]:
        """What stands under a key of a layer."""
        match key.text:
            case "op":
                yield from self._op(_text(value), value.span, path, scope)
            case "in" | "else" | "share" | "after":
                yield from self._inputs(scope, op, value, path)
            case "when" | "scan" | "repeat":
                without = ("stack", "collect", "share")
                yield from self._formulas(scope, path, value, without)
            case "carry":
                for below, item in _scalars(value, path):
                    yield from self._start(scope, item, below)
            case "tie":
                yield from self._tie(scope, value, path)
            case "init":
                for tensor, initial in _pairs(value):
                    yield from self._initializer(scope, initial, (*path, tensor))
            case "choose":
                for number, one in _children(value):
                    yield from self._layer(scope, (*path, number), one)
            case "layers":
                inner = self.scopes[path[:-1]]
                yield from self._layers(path[:-1], inner)
                yield from self._outputs(path[:-1], inner)

    def _inputs(
        self, scope: NameScope, op: str, value: YamlNode, path: Path
    ) -> Iterator[Mention]:
        """The values that a layer takes, and the ports that it takes them at."""
        for port, span in _keys(value) if path[-1] == "in" else ():
            home = self.scopes.get(path[:-1])
            if home is not None:  # a group: its own name for the value
                named = Named("input", port, home.path)
                yield Mention(named, span, (*path, port), True)
            else:
                yield Mention(self._port_of(op, port), span, (*path, port))
        for below, item in _scalars(value, path):
            yield from self._value(scope, item, below)

    def _tie(self, scope: NameScope, value: YamlNode, path: Path) -> Iterator[Mention]:
        for tensor, item in _pairs(value):
            if tensor == "when":
                yield from self._formulas(scope, (*path, tensor), item)
            elif isinstance(item, ScalarNode):
                yield from self._tensor(scope, item, (*path, tensor))

    def _port_of(self, op: str, port: str) -> Named:
        """The input of a block of this file, or of an op."""
        block = self.scopes.get(("blocks", op))
        known = block is not None and block.values.get(port) == "input"
        return (
            Named("input", port, ("blocks", op))
            if known
            else Named("port", port, (op,))
        )

    def _argument(
        self, scope: NameScope, op: str, key: ScalarNode, value: YamlNode, path: Path
    ) -> Iterator[Mention]:
        """An argument of an op, or a param of a block, and its value."""
        block = self.scopes.get(("blocks", op))
        if block is not None:
            kind = block.params.get(key.text)
            if key.text in block.params:
                yield Mention(Named("param", key.text, block.path), key.span, path)
            text, named = kind in ("str", "str[]"), kind == "op"
        else:
            yield Mention(Named("argument", key.text, (op,)), key.span, path)
            kind = self.imported.get(op, {}).get(key.text, "")
            text, named = kind in ("str", "str[]"), kind == "op"
            if not op[:1].isupper():
                text = _takes_text(op, key.text)
        for below, item in _scalars(value, path):
            if named and not item.text.startswith("$"):
                yield from self._op(item.text, item.span, below, scope)
            elif not text or item.text.startswith("$"):
                yield from self._formula(scope, item, below)

    # What stands in a text.

    def _op(
        self, name: str, span: Span, path: Path, scope: NameScope
    ) -> Iterator[Mention]:
        if name.startswith("$"):
            if name[1:] in scope.environment.params:
                home = scope.environment.path
                quoted = span.end_column - span.column - len(name)
                at = _from(span, 1 + quoted // 2, quoted // 2)
                yield Mention(Named("param", name[1:], home), at, path)
        elif name[:1].isupper():
            yield Mention(_block(name), span, path)
        elif name:
            yield Mention(Named("op", name), span, path)

    def _value(
        self, scope: NameScope, node: ScalarNode, path: Path
    ) -> Iterator[Mention]:
        """`x`, or `lstm.hidden`; `x?` of an output that may be absent."""
        first, dot, port = node.text.removesuffix(OPTIONAL).partition(".")
        name = first.strip()
        home = scope.home_of(name)
        if home is None or not name:
            return
        start = first.index(name)
        of = Named(home.values[name], name, home.path)
        yield Mention(of, node.part(start, start + len(name)), path)
        op = home.ops.get(name, "")
        block = self.scopes.get(("blocks", op))
        if not dot or not port:
            return
        at = len(first) + 1
        named = Named("port", port, (*home.path, "layers", name))
        if block is not None and port in block.outputs:
            named = Named("output", port, block.path)
        yield Mention(named, node.part(at, at + len(port)), path)

    def _start(
        self, scope: NameScope, node: ScalarNode, path: Path
    ) -> Iterator[Mention]:
        """`zeros[B, hidden]`, or a value."""
        match = FILL.fullmatch(node.text)
        if match is None:
            yield from self._value(scope, node, path)
            return
        try:
            sizes = parse_sizes(match[1], match.start(1))
        except ExpressionError:
            return
        yield from self._names(scope, sizes, node, path)

    def _tensor(
        self, scope: NameScope, node: ScalarNode, path: Path
    ) -> Iterator[Mention]:
        """`wte.weight`, `h.{i}.attn.c_attn.weight`: the layers on the way to a tensor."""
        inside: NameScope | None = scope
        for match in _WORD.finditer(node.text):
            name = match[0]
            if inside is None:
                return
            if name not in inside.values:
                if name.isdecimal() or (name.startswith("{") and "*" not in name):
                    continue
                return
            of = Named(inside.values[name], name, inside.path)
            yield Mention(of, node.part(*match.span()), path)
            group = (*inside.path, "layers", name)
            op = inside.ops.get(name, "")
            inside = self.scopes.get(group) or self.scopes.get(("blocks", op))

    def _formulas(
        self,
        scope: NameScope,
        path: Path,
        node: YamlNode | None = None,
        without: Iterable[str] = (),
    ) -> Iterator[Mention]:
        """The names in all texts at and below a path, which are formulas."""
        node = self.document.node(path) if node is None else node
        for below, item in _scalars(node, path):
            if not set(below[len(path) :]) & set(without):
                yield from self._formula(scope, item, below)

    def _formula(
        self, scope: NameScope, node: ScalarNode, path: Path
    ) -> Iterator[Mention]:
        if not isinstance(node.value, str):
            return
        try:
            expr = parse_expression(after_dollar(node.text))
        except ExpressionError:
            return
        yield from self._names(scope, (expr,), node, path)

    def _names(
        self,
        scope: NameScope,
        exprs: Iterable[Expression],
        node: ScalarNode,
        path: Path,
    ) -> Iterator[Mention]:
        whole = tuple(exprs)
        names: list[Variable] = [name for one in whole for name in variables(one)]
        around = scope.environment
        for asked in (one for expr in whole for one in asked_inputs(expr)):
            yield from self._asked(scope, asked, node, path)
        for name in names:
            span = node.part(name.start, name.end)
            if name.id in around.params:
                yield Mention(Named("param", name.id, around.path), span, path)
            elif name.id in around.dims:
                home = around.path
                first = around.dims[name.id] == span
                yield Mention(Named("dimension", name.id, home), span, path, first)

    def _asked(
        self, scope: NameScope, asked: Given, node: ScalarNode, path: Path
    ) -> Iterator[Mention]:
        """The input of `given(mask)`."""
        home, name = scope.home_of(asked.input), asked.input
        at = node.text.find(name, node.text.find("(", asked.start, asked.end))
        if home is not None and asked.start < at < asked.end:
            of = Named(home.values[name], name, home.path)
            yield Mention(of, node.part(at, at + len(name)), path)


def _takes_text(op: str, key: str) -> bool:
    """Whether an argument of an op is text, not a formula."""
    found = find_op(op)
    known = {} if found is None else arguments(found)
    if key not in known:
        return True
    return all(
        one.base in ("text", "choice", "null") for one in alternatives(known[key][0])
    )


def _block(name: str) -> Named:
    return Named("block", name)


def _from(span: Span, start: int, less: int = 0) -> Span:
    first, last = span.column + start, span.end_column - less
    return Span(span.file, span.line, first, span.end_line, last)


def _text(node: YamlNode | None) -> str:
    return node.text if isinstance(node, ScalarNode) else ""


def _pairs(node: YamlNode | None) -> Iterator[tuple[str, YamlNode]]:
    if isinstance(node, MappingNode):
        yield from ((key.text, value) for key, value in node.entries)


def _keys(node: YamlNode | None) -> Iterator[tuple[str, Span]]:
    if isinstance(node, MappingNode):
        yield from ((key.text, key.span) for key, _ in node.entries)


def _children(node: YamlNode | None) -> Iterator[tuple[str | int, YamlNode]]:
    if isinstance(node, SequenceNode):
        yield from enumerate(node.items)
    else:
        yield from _pairs(node)


def _scalars(node: YamlNode | None, path: Path) -> Iterator[tuple[Path, ScalarNode]]:
    """The texts at and below a node."""
    if isinstance(node, ScalarNode):
        if isinstance(node.value, str):
            yield path, node
        return
    for step, item in _children(node):
        yield from _scalars(item, (*path, step))
