"""The graph of a spec: one scope for each network, block and group, its layers bound to what they name.

A `Graph` is what the file says, with every name resolved and nothing computed. Each scope keeps its layers in an
order in which they can run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from functools import cached_property
from typing import Any, Literal

from compiler.dataclass import dataclass
from compiler.diagnostics.diagnostic import Diagnostic
from compiler.diagnostics.source import Span
from compiler.expr.syntax import Expression, names_in
from compiler.language.layers import Layer
from compiler.language.params import Param
from compiler.language.spec import Spec
from compiler.op.arg_types import Formula
from compiler.op.op import Op
from compiler.parse.document import Document
from compiler.parse.path_error import Path
from compiler.symbolic.symbols import Owner
from compiler.symbolic.tensor import TypePattern


@dataclass(frozen=True, slots=True)
class Ref:
    """A value in a scope: an input, or an output of a layer (`port` "" is its first).

    The port of a list that a layer collects is the name of the list, that of an item `name.number`.
    """

    node: str
    port: str = ""
    path: Path = ()
    of_list: bool = False
    """Whether it is an item of a list that is written as a whole."""

    @property
    def item(self) -> tuple[str, int] | None:
        """The list and the number of an item: `("features", 2)`; None for other values."""
        name, dot, number = self.port.rpartition(".")
        plain = dot and number.isdecimal() and number == str(int(number))
        return (name, int(number)) if plain else None

    def __str__(self) -> str:
        return f"{self.node}.{self.port}" if self.port else self.node


@dataclass(frozen=True, slots=True)
class Place:
    """A path in the document of a file.

    What is written at an alternative of `choose` is at its path; the keys that stand beside `choose` are at `beside`.
    """

    document: Document
    path: Path
    beside: Path = ()

    def span(self, *below: str | int, key: bool = False) -> Span:
        """The range of the value, or of the key at the end of the path."""
        return self.document.locate((*self._home(below), *below), key)

    def part(self, start: int, end: int) -> Span:
        """The range of a part of the text at this path, from one offset to another."""
        return self.document.part(self.path, start, end)

    def has(self, key: str) -> bool:
        """Whether there is a mapping here that has the key."""
        return self.document.node((*self._home((key,)), key)) is not None

    def at(self, *below: str | int) -> Place:
        """A path below this one."""
        return Place(self.document, (*self._home(below), *below))

    def _home(self, below: Path) -> Path:
        """The path of the mapping that has a key."""
        if not self.beside or not below:
            return self.path
        known = self.document.node((*self.beside, below[0])) is not None
        return self.beside if known else self.path


@dataclass(frozen=True, slots=True)
class OpParam:
    """The target of `{op: $norm}`: an op or block that the param names."""

    param: str


@dataclass(frozen=True, eq=False)
class Alternatives:
    """The target of `choose`: what the layer may be, each as a layer of the same name."""

    conditions: tuple[Formula | bool | None, ...]
    """When each is chosen: the first whose condition holds. The last has none."""
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Carry:
    """The initial value of a scan's carried state: a layer's output, or `zeros` or `ones` of a shape."""

    fill: Literal["zeros", "ones", ""] = ""
    shape: tuple[Expression, ...] = ()
    ref: Ref | None = None


NOTHING = Ref("", "", ())
"""What stands in place of a layer that is off and has `else: null`: no value at all."""


@dataclass(frozen=True, eq=False)
class Node:
    """A layer of a scope. `inputs` are by port where the target's ports are known, else by position ("0", "1")."""

    name: str
    layer: Layer
    place: Place
    target: type[Op] | Scope | OpParam | Alternatives
    arguments: Mapping[str, Any]
    inputs: Mapping[str, Ref | tuple[Ref, ...]]
    carry: Mapping[str, Carry] = field(default_factory=dict)
    shared: str = ""
    """The name of the layer that this one is again."""
    otherwise: Ref | None = None
    """The value in place of its output where `when` is false; None for its first input, `NOTHING` for no value."""

    @property
    def may_be_absent(self) -> bool:
        """Whether it has no value where `when` is false."""
        return self.otherwise == NOTHING

    @property
    def each(self) -> tuple[Node, ...]:
        """The layer, or what it may be."""
        return self.target.nodes if isinstance(self.target, Alternatives) else (self,)

    def refs(self) -> Iterator[tuple[str, Ref]]:
        """Every input with its port; the inputs of a variadic port one by one, those of all that it may be."""
        if isinstance(self.target, Alternatives):
            yield from dict.fromkeys(
                found for node in self.target.nodes for found in node.refs()
            )
            return
        for port, ref in self.inputs.items():
            for item in ref if isinstance(ref, tuple) else (ref,):
                yield port, item
        for port, carry in self.carry.items():
            if carry.ref is not None:
                yield port, carry.ref
        if self.otherwise is not None and not self.may_be_absent:
            yield "else", self.otherwise


def may_lack(node: Node, port: str) -> bool:
    """Whether a layer may run without giving an output: one that may be absent of a block or group."""
    target = node.target
    if isinstance(target, Alternatives):
        return any(may_lack(one, port) for one in target.nodes)
    return isinstance(target, Scope) and target.may_lack(port)


@dataclass(frozen=True, eq=False)
class Scope:
    """A network, a block or a group. A group has no params of its own: it stands in those of the scope around it."""

    name: str
    kind: Literal["network", "block", "group"]
    place: Place
    description: str
    params: Mapping[str, Param]
    inputs: Mapping[str, TypePattern | None]
    """The types of the inputs; None for those of a group, which take whatever comes."""
    nodes: Mapping[str, Node]
    outputs: Mapping[str, Ref]
    chain: bool = False
    """Whether the layers were written as a list."""
    parent: Scope | None = None
    declared: tuple[str, ...] = ()
    """The names of the outputs, known before the layers are bound: blocks may call themselves."""
    optional: frozenset[str] = frozenset()
    """The names of the outputs that may be absent."""

    def may_lack(self, port: str) -> bool:
        """Whether an output may be absent; the first for ""."""
        return (port or next(iter(self.declared), "")) in self.optional

    def each_node(self) -> Iterator[Node]:
        """The layers, and what each of them may be."""
        for node in self.nodes.values():
            yield node
            if isinstance(node.target, Alternatives):
                yield from node.target.nodes

    @cached_property
    def groups(self) -> Mapping[int, tuple[Node, ...]]:
        """The layers that are groups, by the identity of their scopes: one, and those that share it."""
        found: dict[int, tuple[Node, ...]] = {}
        for node in self.each_node():
            if isinstance(node.target, Scope) and node.target.kind == "group":
                known = found.get(id(node.target), ())
                found[id(node.target)] = (*known, node)
        return found

    @cached_property
    def choices(self) -> tuple[str, ...]:
        """The layers that may be one thing or another."""
        nodes = self.nodes.items()
        return tuple(n for n, node in nodes if isinstance(node.target, Alternatives))

    @cached_property
    def visible(self) -> frozenset[str]:
        """The params and dimensions that its formulas may use."""
        patterns = [pattern for pattern in self.inputs.values() if pattern]
        sizes = [size for pattern in patterns for size in pattern.dims]
        return frozenset(self.params).union(*map(names_in, sizes))

    @cached_property
    def owner(self) -> Owner:
        """What the symbols of its names say that they belong to."""
        return (self.place.document.source.file, *self.place.path)

    @property
    def environment(self) -> Scope:
        """The scope whose params and dims are visible here: itself, or for a group the one around it."""
        return self.parent.environment if self.kind == "group" and self.parent else self


@dataclass(frozen=True, eq=False)
class Unit:
    """A file and the files that its blocks come from: block name -> unit."""

    spec: Spec
    document: Document
    imports: Mapping[str, Unit] = field(default_factory=dict)


def each_document(unit: Unit) -> list[Document]:
    """The documents of a file and of all that it imports, each once."""
    units = {id(unit): unit}
    pending = [unit]
    while pending:
        for other in pending.pop().imports.values():
            if id(other) not in units:
                units[id(other)] = other
                pending.append(other)
    return [one.document for one in units.values()]


@dataclass(frozen=True, eq=False)
class Graph:
    """All scopes of a spec and of the files that it imports from."""

    spec: Spec
    document: Document
    networks: Mapping[str, Scope]
    """By name; a file with one network has it under ""."""
    blocks: Mapping[str, Scope]
    """The blocks of the file itself and those it imports, by the names they have in it."""
    warnings: tuple[Diagnostic, ...] = ()
    files: tuple[Document, ...] = ()
    named: Mapping[str, Mapping[str, Scope]] = field(default_factory=dict)
    """The blocks that each file can name, by the path of the file."""
