"""What can be written at a place of a spec.

The place is found as a reader would find it: a word is put there, the text is recovered, and the word's place in the
nodes says what it may be.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Final, Literal

from compiler.dataclass import dataclass
from compiler.diagnostics.source import Source, Span
from compiler.editing.keys import KeyFacts, choices_at, keys_at
from compiler.editing.name_scopes import NameScope, layers_on, name_scopes
from compiler.editing.survey import Survey
from compiler.language.layers import KEYS, LAYER_KEYS, Layer
from compiler.language.params import TYPE_NAMES
from compiler.op.arg_docs import Alternative, alternatives, takes
from compiler.op.as_yaml import as_yaml
from compiler.op.op import arguments
from compiler.op.registry import find_op, op_names
from compiler.parse.document import (
    MappingNode,
    ScalarNode,
    SequenceNode,
    YamlNode,
)
from compiler.parse.path_error import Path
from compiler.parse.recover import recover
from compiler.symbolic.tensor import KINDS

Sort = Literal[
    "key", "op", "block", "argument", "value", "port", "param", "dimension", "choice"
]

_WORD: Final = re.compile(r"[\w.$\[\]]*\Z")
_MARK: Final = "zqzcursorzqz"
"""A word that no spec has."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """What can be written: `insert` in place of the characters from `start` to the cursor."""

    label: str
    sort: Sort
    insert: str
    detail: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Completions:
    """What can be written in place of the characters of a place."""

    span: Span
    candidates: tuple[Candidate, ...] = ()


def complete(survey: Survey, line: int, column: int) -> Completions:
    """What can be written at a place; the word before it is what is replaced."""
    source = survey.source
    before = source.line(line)[: column - 1]
    word = _WORD.search(before)
    start = word.start() if word else len(before)
    typed = before[start:]
    cut = max(typed.rfind("["), typed.rfind("]")) + 1  # `in: [x`, `depths[0]`
    start += cut
    if not typed[cut:] and before[-1:].isalnum():
        return Completions(Span(source.file, line, column, line, column))
    span = Span(source.file, line, start + 1, line, column)
    marked = _Marked(survey, line, start, column - 1)
    found = {one.label: one for one in marked.candidates()}
    return Completions(span, tuple(found.values()))


class _Marked:
    """The text with a word in place of that before the cursor, and where in the nodes it is."""

    def __init__(self, survey: Survey, line: int, start: int, end: int) -> None:
        self.survey = survey
        source, text = survey.source, survey.source.text
        first, last = (source.offset(line, one + 1) for one in (start, end))
        self.prefix = text[first:last]
        rest = re.sub(r"^[\w.$]*", "", text[last:])
        marked = Source(source.file, f"{text[:first]}{_MARK}{rest}")
        self.document = recover(marked, survey.limits)

    def candidates(self) -> Iterator[Candidate]:
        """What can be written."""
        found = _find(self.document.root)
        if found is None:
            return
        path, is_key, whole = found
        if is_key:
            yield from self._keys(path[:-1])
            return
        inside = whole.partition(_MARK)[0]
        yield from self._values(path, inside)

    @cached_property
    def scopes(self) -> Mapping[Path, NameScope]:
        """The names of the document, with those of what it extends."""
        return {**name_scopes(self.survey.merged), **name_scopes(self.document)}

    def _scope(self, path: Path) -> NameScope:
        """The innermost scope that a path is in."""
        for end in range(len(path), -1, -1):
            if path[:end] in self.scopes:
                return self.scopes[path[:end]]
        return self.scopes[()]

    # Keys.

    def _keys(self, path: Path) -> Iterator[Candidate]:
        there = self.document.node(path)
        used = _names(there)
        for one in self._keys_of(path):
            if one.label not in used:
                yield one

    def _keys_of(self, path: Path) -> Iterator[Candidate]:
        last = path[-1] if path else ""
        if _is_layer(path):
            yield from self._layer_keys(path)
        elif last == "in" and _is_layer(path[:-1]):
            yield from self._ports(path[:-1])
        elif last == "tie" and _is_layer(path[:-1]):
            yield from _named(("weight", "bias"), "argument")
        elif path[:1] == ("variants",) and len(path) == 2:
            yield from _named(self.scopes[()].params, "param")
        elif path == ("dims",):
            yield from _named(self.scopes[()].dims, "dimension")
        elif path == ("expect",):
            yield from _key_candidates(keys_at(self.document, path))
            yield from _named(self._root_values(), "value")
        elif path == ("init",):
            yield from _named(op_names(), "op")
        elif path[:1] == ("checkpoint",) and last == "tensors":
            yield from _named(self._root_values(), "value", "{}.")
        else:
            yield from _key_candidates(keys_at(self.document, path))

    def _root_values(self) -> Iterator[str]:
        root = self.scopes[()]
        yield from dict.fromkeys((*root.outputs, *root.values))

    def _layer_keys(self, path: Path) -> Iterator[Candidate]:
        """The keys that a layer may have, by what it is, and the arguments of its op."""
        node = self.document.node(path)
        given = _names(node)
        op = _text(node.get("op")) if isinstance(node, MappingNode) else ""
        yield from self._arguments(op)
        kind = next((one for one in Layer.one_of if one in given), "")
        facts = keys_at(self.document, path)
        block = op[:1].isupper()
        for key, one in facts.items():
            of = KEYS[_field(key)].of
            wrong = (
                (kind and key in Layer.one_of)
                or (kind == "op" and of == "group")
                or (kind == "op" and of == "block" and not block)
                or (kind == "op" and of == "op" and block)
                or (kind == "layers" and of in ("op", "block"))
            )
            if not wrong and key != "after":
                yield _key_candidate(key, one)

    def _arguments(self, op: str) -> Iterator[Candidate]:
        block = self.scopes.get(("blocks", op))
        scope = self.survey.graph.blocks.get(op) if self.survey.graph else None
        if block is None and scope is not None:  # of another file
            for name, param in scope.params.items():
                yield Candidate(name, "argument", f"{name}: ", str(param.kind or ""))
        for name, kind in block.params.items() if block else ():
            yield Candidate(name, "argument", f"{name}: ", kind or "param")
        found = find_op(op) if op and block is None else None
        for name, (kind, default) in arguments(found).items() if found else ():
            words = "required" if default is ... else f"default {as_yaml(default)}"
            yield Candidate(name, "argument", f"{name}: ", f"{takes(kind)}; {words}")

    def _ports(self, path: Path) -> Iterator[Candidate]:
        """The inputs of what a layer runs."""
        node = self.document.node(path)
        op = _text(node.get("op")) if isinstance(node, MappingNode) else ""
        scope = self.survey.graph.blocks.get(op) if self.survey.graph else None
        found = find_op(op) if op and scope is None else None
        names: list[str] = [*scope.inputs] if scope else []
        names += [port.name for port in found.inputs] if found else []
        yield from _named(names, "port", "{}: ")

    # Values.

    def _values(self, path: Path, inside: str) -> Iterator[Candidate]:
        """What the value at a path may be; `inside` is the text before the cursor."""
        scope = self._scope(path)
        layer = _layer_of(path)
        if layer is not None:
            yield from self._of_layer(scope, layer, path[len(layer) :], inside)
            return
        section = [step for step in path if isinstance(step, str)]
        if "inputs" in section[:3] and path[0] != "task":
            yield from _named(KINDS, "choice", "{}[")
            yield from self._sizes(scope)
        elif "outputs" in section[:3] and path[0] != "task":
            yield from self._references(scope)
        elif path == ("step",):
            yield from _named(self.scopes[()].dims, "dimension")
        elif path[:1] == ("dims",):
            yield from self._sizes(scope)
        elif "params" in section[:3] and path[-1] != "default":
            yield from _named(TYPE_NAMES, "choice")
            yield from self._sizes(scope)
        elif path == ("variant",):
            yield from self._variants()
        else:
            yield from _named(choices_at(self.document, path), "choice")

    def _variants(self) -> Iterator[Candidate]:
        section = self.survey.merged.root.get("variants")
        if isinstance(section, MappingNode):
            yield from _named((key.text for key, _ in section.entries), "choice")

    def _of_layer(
        self, scope: NameScope, layer: Path, below: Path, inside: str
    ) -> Iterator[Candidate]:
        key = below[0] if below else "op"
        if key == "op":
            yield from self._ops(scope, inside)
        elif key in ("in", "else", "share", "after", "outputs"):
            yield from self._references(scope)
        elif key == "tie":
            yield from _named(scope.values, "value", "{}.weight")
        elif key == "carry":
            yield from _named(("zeros", "ones"), "choice", "{}[")
            yield from self._sizes(scope)
            yield from self._references(scope)
        elif key in ("when", "scan", "repeat"):
            yield from self._sizes(scope)
            yield from _named(("i",) if key == "when" else (), "param")
        elif key in LAYER_KEYS:
            yield from _named(choices_at(self.document, (*layer, *below)), "choice")
        else:
            node = self.document.node((*layer, "op"))
            yield from self._argument(scope, _text(node), str(key), inside)

    def _argument(
        self, scope: NameScope, op: str, key: str, inside: str
    ) -> Iterator[Candidate]:
        """The values of an argument: what it may be, and names for a formula."""
        block = self.scopes.get(("blocks", op))
        found = find_op(op) if block is None and op else None
        if block is not None:
            kind = block.params.get(key, "")
            if kind == "op":
                yield from self._ops(scope, inside)
            elif kind == "bool":
                yield from _named(("true", "false"), "choice")
            if kind not in ("op", "str"):
                yield from self._sizes(scope)
            return
        known = arguments(found) if found else {}
        kinds = alternatives(known[key][0]) if key in known else ()
        for one in kinds:
            yield from _named(_choices(one), "choice")
        if any(one.base not in ("text", "choice", "null") for one in kinds):
            yield from self._sizes(scope)
        else:
            yield from _named((f"${n}" for n in scope.environment.params), "param")

    def _ops(self, scope: NameScope, inside: str) -> Iterator[Candidate]:
        for name in self._blocks():
            yield Candidate(name, "block", name, "block")
        if not inside[:1].isupper():
            yield from (Candidate(n, "op", n, "op") for n in op_names())
        for name, kind in scope.environment.params.items():
            if kind == "op":
                yield Candidate(f"${name}", "param", f"${name}", "param")

    def _blocks(self) -> Iterator[str]:
        for section in ("blocks", "import"):
            for document in (self.document, self.survey.merged):
                node = document.root.get(section)
                if isinstance(node, MappingNode):
                    yield from (k.text for k, _ in node.entries if k.text != _MARK)

    def _sizes(self, scope: NameScope) -> Iterator[Candidate]:
        around = scope.environment
        for name, kind in around.params.items():
            yield Candidate(name, "param", name, kind or "param")
        yield from _named(around.dims, "dimension")

    def _references(self, scope: NameScope) -> Iterator[Candidate]:
        """The values in scope; behind `lstm.`, the outputs of that layer."""
        name, dot, _ = self.prefix.partition(".")
        if dot:
            ports = _outputs(self.survey, scope, name)
            for port, kind in ports.items():
                yield Candidate(f"{name}.{port}", "port", f"{name}.{port}", kind)
            return
        types = _types(self.survey, scope)
        here: NameScope | None = scope
        while here is not None:
            for value, kind in here.values.items():
                if value != _MARK:
                    yield Candidate(value, "value", value, types.get(value) or kind)
            here = here.around


def _outputs(survey: Survey, scope: NameScope, name: str) -> dict[str, str]:
    """The outputs of a layer, with their types where they are known."""
    home = scope.home_of(name)
    if home is None:
        return {}
    op = home.ops.get(name, "")
    found = find_op(op) if op and not op[:1].isupper() else None
    ports = dict.fromkeys(found.outputs or () if found else (), "")
    graph = survey.graph
    block = graph.blocks.get(op) if graph else None
    ports |= dict.fromkeys(block.declared if block else (), "")
    for instance in survey.typed.instances if survey.typed else ():
        node = instance.nodes.get(name)
        if (
            instance.scope.place.path == home.path
            and node is not None
            and name in survey.trust.sure(instance)
        ):
            values = instance.context.values
            ports |= {port: str(values(kind)) for port, kind in node.outputs.items()}
    return ports


def _types(survey: Survey, scope: NameScope) -> dict[str, str]:
    """The types of the values of a scope, as far as they are known."""
    found: dict[str, str] = {}
    for instance in survey.typed.instances if survey.typed else ():
        if instance.scope.place.path != scope.path:
            continue
        for name in survey.trust.sure(instance):
            kinds = instance.nodes[name].without_items.values()
            values = instance.context.values
            found.setdefault(name, ", ".join(str(values(one)) for one in kinds))
    return found


def _find(root: YamlNode) -> tuple[Path, bool, str] | None:
    """Where the mark is: a path, whether it is the key there, and the text that it is in."""
    pending: list[tuple[Path, YamlNode]] = [((), root)]
    while pending:
        path, node = pending.pop()
        if isinstance(node, ScalarNode):
            if _MARK in node.text:
                return path, False, node.text
        elif isinstance(node, SequenceNode):
            pending += [((*path, n), item) for n, item in enumerate(node.items)]
        else:
            for key, value in node.entries:
                if _MARK in key.text:
                    return (*path, key.text), True, key.text
                pending.append(((*path, key.text), value))
    return None


def _layer_of(path: Path) -> Path | None:
    """The path of the innermost layer that a path is in; None outside of layers."""
    return next(reversed(layers_on(path)), None)


def _is_layer(path: Path) -> bool:
    return _layer_of(path) == path


def _choices(one: Alternative) -> tuple[str, ...]:
    if one.base == "choice":
        return tuple(as_yaml(choice) for choice in one.choices)
    if one.base == "boolean":
        return ("true", "false")
    return ("null",) if one.base == "null" else ()


def _named(names: Iterable[str], sort: Sort, insert: str = "{}") -> Iterator[Candidate]:
    for name in names:
        if _MARK not in name:
            yield Candidate(name, sort, insert.replace("{}", name), sort)


def _key_candidates(found: Mapping[str, KeyFacts]) -> Iterator[Candidate]:
    yield from (_key_candidate(key, facts) for key, facts in found.items())


def _key_candidate(key: str, facts: KeyFacts) -> Candidate:
    return Candidate(key, "key", f"{key}: ", facts.takes, facts.text)


def _field(key: str) -> str:
    """The field of a layer's key."""
    fields = Layer.model_fields.items()
    return next(name for name, one in fields if key in (name, one.alias))


def _names(node: YamlNode | None) -> set[str]:
    """The keys of a mapping."""
    entries = node.entries if isinstance(node, MappingNode) else ()
    return {key.text for key, _ in entries}


def _text(node: YamlNode | None) -> str:
    return node.text if isinstance(node, ScalarNode) else ""
