"""Where a scope is drawn: its instances there, and what its layers are in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from compiler.ir.graph import Node, OpParam, Ref, Scope
from compiler.ir.typed import Call, Instance, TypedNode
from compiler.op.op import Op

Ports = tuple[tuple[str, Ref], ...]


@dataclass(frozen=True, eq=False)
class Layer:
    """A layer of a scope as all instances that are drawn in one place have it."""

    node: Node
    typed: tuple[tuple[Instance, TypedNode], ...]
    copies: tuple[int, ...]
    """How many copies of the scope each of these stands for."""
    failed: bool
    """Whether there are instances that have no types for it."""

    @property
    def running(self) -> tuple[tuple[Instance, TypedNode], ...]:
        """Where it runs at all."""
        return tuple(use for use in self.typed if use[1].calls)

    @property
    def off(self) -> bool:
        """Whether it runs nowhere, and everywhere passes its input on."""
        return bool(self.typed) and not self.failed and not self.running

    @property
    def optional(self) -> bool:
        """Whether it runs in some instances and not in others, or may do so."""
        if not self.typed:
            return self.node.layer.when is not None
        return 0 < len(self.running) < len(self.typed)

    @property
    def share(self) -> tuple[int, int]:
        """In how many of how many copies it runs."""
        pairs = zip(self.typed, self.copies, strict=True)
        there = sum(copies for (_, typed), copies in pairs if typed.calls)
        return there, sum(self.copies)

    @property
    def target(self) -> type[Op] | Scope | None:
        """What it runs; None where a param was to choose that, and could not."""
        for _, typed in (*self.running, *self.typed):
            return typed.target
        return None if isinstance(self.node.target, OpParam) else self.node.target

    @property
    def scope(self) -> Scope | None:
        """The block or group that it runs."""
        return self.target if isinstance(self.target, Scope) else None

    @property
    def ties(self) -> Mapping[str, str]:
        """Its tensors that are one with others, in any instance."""
        if not self.typed:
            return self.node.layer.tie.tensors if self.node.layer.tie else {}
        return {k: path for _, typed in self.typed for k, path in typed.ties.items()}

    @property
    def calls(self) -> Iterator[tuple[Instance, TypedNode, Call]]:
        """Every distinct run."""
        for instance, typed in self.running:
            for call in typed.calls:
                yield instance, typed, call

    @property
    def refs(self) -> Ports:
        """Its inputs by port, those of a variadic port one by one, then its states."""
        uses = self.running or self.typed
        given = uses[0][1].inputs if uses else self.node.inputs
        found = [(port, ref) for port, value in given.items() for ref in several(value)]
        states = ((port, carry.ref) for port, carry in self.node.carry.items())
        return (*found, *((port, ref) for port, ref in states if ref is not None))

    def instances(self) -> dict[Instance, int]:
        """The distinct instances of what it runs, and how many copies of each."""
        found: dict[Instance, int] = {}
        for (_, typed), copies in zip(self.typed, self.copies, strict=True):
            for call in typed.calls:
                if call.instance is not None:
                    known = found.get(call.instance, 0)
                    found[call.instance] = known + copies * call.count
        return found


def several(value: Ref | tuple[Ref, ...]) -> tuple[Ref, ...]:
    """The values at a port, variadic or not."""
    return value if isinstance(value, tuple) else (value,)


@dataclass(eq=False)
class Frame:
    """A scope in one place of the picture; `children` are its layers that are opened.

    A repeated block is drawn once, for all its copies: `instances` holds each distinct
    one, with their number.
    """

    scope: Scope
    instances: Mapping[Instance, int]
    name: str = ""
    """The layer that it is the inside of, or the network."""
    parent: Frame | None = None
    children: dict[str, Frame] = field(default_factory=dict)
    _layers: dict[str, Layer] = field(default_factory=dict)

    @property
    def level(self) -> int:
        """How many frames it is inside of."""
        return 0 if self.parent is None else self.parent.level + 1

    @property
    def root(self) -> Frame:
        """The network, or the block that is drawn alone."""
        return self if self.parent is None else self.parent.root

    @property
    def path(self) -> tuple[str, ...]:
        """The layers that lead to it, the network not among them."""
        return () if self.parent is None else (*self.parent.path, self.name)

    def layer(self, name: str) -> Layer:
        """A layer by its name."""
        found = self._layers.get(name)
        if found is None:
            uses = {use: n for use, n in self.instances.items() if name in use.nodes}
            found = self._layers[name] = Layer(
                self.scope.nodes[name],
                tuple((instance, instance.nodes[name]) for instance in uses),
                tuple(uses.values()),
                len(uses) < len(self.instances),
            )
        return found

    def is_input(self, name: str) -> bool:
        """Whether a name is an input of the scope, not a layer."""
        return name in self.scope.inputs and name not in self.scope.nodes

    def source(self, ref: Ref) -> Ref | None:
        """The value itself, past the layers that are off; None where there is none."""
        while not self.is_input(ref.node):
            if ref.node not in self.scope.nodes:
                return None
            layer = self.layer(ref.node)
            if not layer.off:
                return ref
            if not layer.refs:
                return None
            ref = layer.refs[0][1]
        return ref

    def sources(self, name: str) -> Ports:
        """The inputs of a layer, past the layers that are off."""
        found = ((port, self.source(ref)) for port, ref in self.layer(name).refs)
        return tuple((port, ref) for port, ref in found if ref is not None)

    def has(self, name: str) -> bool:
        """Whether an input of the scope has a value here: an optional one may not."""
        if self.parent is None:
            return True
        if name in self.parent.layer(self.name).node.carry:
            return True
        ref = dict(self.parent.sources(self.name)).get(name)
        if ref is None:
            return False
        return not self.parent.is_input(ref.node) or self.parent.has(ref.node)

    @property
    def outputs(self) -> Mapping[str, Ref]:
        """The outputs of the scope, past the layers that are off."""
        found = {name: self.source(ref) for name, ref in self.scope.outputs.items()}
        return {name: ref for name, ref in found.items() if ref is not None}

    def open(self, name: str) -> Frame:
        """The inside of a layer; it is not yet among the children."""
        layer = self.layer(name)
        assert layer.scope is not None, name
        return Frame(layer.scope, layer.instances(), name, self)

    def walk(self) -> Iterator[Frame]:
        """The frame itself and all that are opened in it, outer ones first."""
        yield self
        for child in self.children.values():
            yield from child.walk()
