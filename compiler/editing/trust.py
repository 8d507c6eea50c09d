"""Which layers of a graph have the types that they will have, whatever comes in place of what is left out of it."""

from __future__ import annotations

from functools import cached_property

from compiler.editing.prune import Pruned
from compiler.ir.graph import Ref, Scope
from compiler.ir.typed import Instance, TypedGraph, TypedNode, walk_instances
from compiler.parse.document import MappingNode
from compiler.parse.path_error import Path


class Trust:
    """A layer is sure if its input is, and so is what it runs.

    What runs on an input that is not sure says nothing of it, so that a scope is looked at from the networks on.
    """

    def __init__(self, typed: TypedGraph, pruned: Pruned) -> None:
        self._typed, self._pruned = typed, pruned
        self._sure: dict[int, frozenset[str]] = {}
        self._whole: dict[int, bool] = {}

    def sure(self, instance: Instance) -> frozenset[str]:
        """The layers of an instance that are sure."""
        _ = self._walked
        return self._sure.get(id(instance), frozenset())

    def reached(self, instance: Instance) -> bool:
        """Whether an instance is run on inputs that are sure."""
        _ = self._walked
        return id(instance) in self._sure

    def whole(self, instance: Instance) -> bool:
        """Whether all layers of an instance, and of those in it, are there and sure."""
        return all(map(self._complete, walk_instances([instance])))

    def _complete(self, instance: Instance) -> bool:
        scope, known = instance.scope, self.sure(instance)
        if not all(name in known for name in scope.nodes):
            return False
        layers = (*scope.place.path, "layers")
        own = scope.place.document is self._pruned.document
        lost = (one[: len(layers)] == layers for one in self._pruned.left_out)
        return not (own and any(lost))

    @cached_property
    def _walked(self) -> None:
        for instance in self._typed.networks.values():
            self._visit(instance)

    def _visit(self, instance: Instance) -> bool:
        """Whether the outputs of an instance on sure inputs are sure."""
        known = self._whole.get(id(instance))
        if known is not None:
            return known
        self._whole[id(instance)] = False  # for a block in itself
        scope = instance.scope
        own = scope.place.document is self._pruned.document
        sure: set[str] = set()
        for name, node in instance.nodes.items():
            if self._is_sure(instance, node, sure, own):
                sure.add(name)
        self._sure[id(instance)] = frozenset(sure)
        ended = own and scope.place.path in self._pruned.ended
        given = all(_has(ref, instance, sure) for ref in scope.outputs.values())
        self._whole[id(instance)] = given and not ended
        return self._whole[id(instance)]

    def _is_sure(
        self, instance: Instance, node: TypedNode, sure: set[str], own: bool
    ) -> bool:
        if own and _path(node) in self._pruned.unsure and not _says_input(node):
            return False
        refs = [ref for _, ref in node.node.refs()]
        if not all(_has(ref, instance, sure) for ref in refs):
            return False
        inner = [call.instance for call in node.calls if call.instance is not None]
        if self._pruned.left_out and any(_lacks_outputs(one.scope) for one in inner):
            return False
        repeat = node.node.layer.repeat
        if repeat is None or repeat.chained:  # a copy is sure if those before it are
            return all(map(self._visit, inner))
        found = [self._visit(one) for one in inner]  # each, for what is inside of it
        return all(found)


def _lacks_outputs(scope: Scope) -> bool:
    """Whether outputs were dropped that nothing reads: what is left out may read them."""
    written = scope.place.document.node((*scope.place.path, "outputs"))
    return isinstance(written, MappingNode) and len(written.entries) != len(
        scope.outputs
    )


def _path(node: TypedNode) -> Path:
    return node.node.place.path


def _says_input(node: TypedNode) -> bool:
    return node.node.layer.input is not None


def _has(ref: Ref, instance: Instance, sure: set[str]) -> bool:
    """Whether a value is sure: an input of the scope, or the output of a layer that is."""
    return ref.node in sure or ref.node not in instance.scope.nodes
