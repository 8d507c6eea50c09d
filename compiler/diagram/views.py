"""Scopes and their layers as a diagram shows them: one view for all instances drawn in one place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from compiler.ir.graph import Node, OpParam, Ref, Scope
from compiler.ir.typed import Instance, LayerCall, TypedNode
from compiler.op.op import Op

PortRefs = tuple[tuple[str, Ref], ...]
"""Pairs of a port and the value that is connected to it."""

MAX_LAYERS = 120
"""Layers of one scope that are all drawn; of a longer scope, the middle is elided."""
END_LAYERS = 16
"""Layers that are drawn at each end of such a scope."""


@dataclass(frozen=True, eq=False)
class LayerView:
    """A layer of a scope, as all instances drawn in one place have it."""

    node: Node
    uses: tuple[tuple[Instance, TypedNode], ...]
    """The layer in each instance that could be typed."""
    copies: tuple[int, ...]
    """For each use, how many copies of the scope it stands for."""
    partly_untyped: bool
    """Whether some instances have no types for the layer, because of errors."""

    @property
    def active_uses(self) -> tuple[tuple[Instance, TypedNode], ...]:
        """The instances in which the layer runs."""
        return tuple(use for use in self.uses if use[1].calls)

    @property
    def inactive(self) -> bool:
        """Whether the layer runs in no instance, and passes its input through in all."""
        return bool(self.uses) and not self.partly_untyped and not self.active_uses

    @property
    def optional(self) -> bool:
        """Whether the layer runs in some instances only, or may do so."""
        if not self.uses:
            return self.node.layer.when is not None
        return 0 < len(self.active_uses) < len(self.uses)

    @property
    def active_copies(self) -> tuple[int, int]:
        """In how many copies of the scope the layer runs, and how many copies there are."""
        pairs = zip(self.uses, self.copies, strict=True)
        active = sum(copies for (_, typed), copies in pairs if typed.calls)
        return active, sum(self.copies)

    @property
    def target(self) -> type[Op] | Scope | None:
        """What the layer runs; None if a param of type `op` chooses it and could not be resolved."""
        for _, typed in (*self.active_uses, *self.uses):
            return typed.target
        return None if isinstance(self.node.target, OpParam) else self.node.target

    @property
    def scope(self) -> Scope | None:
        """The block or group that the layer runs; None for an op."""
        return self.target if isinstance(self.target, Scope) else None

    @property
    def ties(self) -> Mapping[str, str]:
        """The layer's tied tensors, each with the path of the other tensor, over all instances."""
        if not self.uses:
            return self.node.layer.tie.tensors if self.node.layer.tie else {}
        return {k: path for _, typed in self.uses for k, path in typed.ties.items()}

    @property
    def calls(self) -> Iterator[tuple[Instance, TypedNode, LayerCall]]:
        """Every distinct run."""
        for instance, typed in self.active_uses:
            for call in typed.calls:
                yield instance, typed, call

    @property
    def refs(self) -> PortRefs:
        """The layer's inputs by port, those of a variadic port one by one, then its carried states."""
        uses = self.active_uses or self.uses
        inputs = uses[0][1].inputs if uses else self.node.inputs
        refs = [(port, ref) for port, value in inputs.items() for ref in _refs(value)]
        states = ((port, carry.ref) for port, carry in self.node.carry.items())
        return (*refs, *((port, ref) for port, ref in states if ref is not None))

    def instances(self) -> dict[Instance, int]:
        """The distinct instances of the block or group that the layer runs, with the number of copies of each."""
        counts: dict[Instance, int] = {}
        for (_, typed), copies in zip(self.uses, self.copies, strict=True):
            for call in typed.calls:
                if call.instance is not None:
                    before = counts.get(call.instance, 0)
                    counts[call.instance] = before + copies * call.count
        return counts


def _refs(value: Ref | tuple[Ref, ...]) -> tuple[Ref, ...]:
    """The values at a port, variadic or not."""
    return value if isinstance(value, tuple) else (value,)


@dataclass(eq=False)
class ScopeView:
    """A scope in one place of the diagram. `children` are the views of its expanded layers.

    A repeated block is drawn once for all its copies: `instances` holds the distinct
    instances, with the number of copies of each.
    """

    scope: Scope
    instances: Mapping[Instance, int]
    name: str = ""
    """The name of the network, or of the layer that this is the inside of."""
    parent: ScopeView | None = None
    children: dict[str, ScopeView] = field(default_factory=dict)
    _layers: dict[str, LayerView] = field(default_factory=dict)

    @property
    def depth(self) -> int:
        """How many views are around this one."""
        return 0 if self.parent is None else self.parent.depth + 1

    @property
    def root(self) -> ScopeView:
        """The outermost view: a network, or the block that is drawn alone."""
        return self if self.parent is None else self.parent.root

    @property
    def path(self) -> tuple[str, ...]:
        """The names of the layers that lead here from the root."""
        return () if self.parent is None else (*self.parent.path, self.name)

    def layer(self, name: str) -> LayerView:
        """The view of a layer of this scope."""
        found = self._layers.get(name)
        if found is None:
            uses = {use: n for use, n in self.instances.items() if name in use.nodes}
            found = self._layers[name] = LayerView(
                self.scope.nodes[name],
                tuple((instance, instance.nodes[name]) for instance in uses),
                tuple(uses.values()),
                len(uses) < len(self.instances),
            )
        return found

    def is_input(self, name: str) -> bool:
        """Whether a name is an input of the scope and not a layer."""
        return name in self.scope.inputs and name not in self.scope.nodes

    def resolve(self, ref: Ref) -> Ref | None:
        """The value behind inactive layers, which pass their first input through; None if there is no value."""
        while not self.is_input(ref.node):
            if ref.node not in self.scope.nodes:
                return None
            layer = self.layer(ref.node)
            if not layer.inactive:
                return ref
            if not layer.refs:
                return None
            ref = layer.refs[0][1]
        return ref

    def sources(self, name: str) -> PortRefs:
        """The inputs of a layer by port, behind inactive layers."""
        resolved = ((port, self.resolve(ref)) for port, ref in self.layer(name).refs)
        return tuple((port, ref) for port, ref in resolved if ref is not None)

    def has_input(self, name: str) -> bool:
        """Whether an input of the scope has a value here; an optional one may have none."""
        if self.parent is None:
            return True
        if name in self.parent.layer(self.name).node.carry:
            return True
        ref = dict(self.parent.sources(self.name)).get(name)
        if ref is None:
            return False
        return not self.parent.is_input(ref.node) or self.parent.has_input(ref.node)

    @property
    def visible_layers(self) -> list[str]:
        """The layers that are drawn: those that run, and of a long scope those at its ends."""
        names = list(self.scope.nodes)
        if self.elided_layers:
            names = [*names[:END_LAYERS], *names[-END_LAYERS:]]
        return [name for name in names if not self.layer(name).inactive]

    @property
    def elided_layers(self) -> list[str]:
        """The layers in the middle of a long scope, which are not drawn."""
        names = list(self.scope.nodes)
        return names[END_LAYERS:-END_LAYERS] if len(names) > MAX_LAYERS else []

    @property
    def outputs(self) -> Mapping[str, Ref]:
        """The outputs of the scope, behind inactive layers."""
        resolved = {name: self.resolve(ref) for name, ref in self.scope.outputs.items()}
        return {name: ref for name, ref in resolved.items() if ref is not None}

    def inside(self, name: str) -> ScopeView:
        """A new view of the block or group that a layer runs; it is not added to `children`."""
        layer = self.layer(name)
        assert layer.scope is not None, name
        return ScopeView(layer.scope, layer.instances(), name, self)

    def walk(self) -> Iterator[ScopeView]:
        """The view itself and all expanded ones in it, outer ones first."""
        yield self
        for child in self.children.values():
            yield from child.walk()
