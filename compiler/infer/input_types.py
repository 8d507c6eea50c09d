"""The types of what the layers of one instance take."""

from __future__ import annotations

from typing import Any

from compiler.diagnostics import suggestions
from compiler.diagnostics.diagnostic import InstancePath
from compiler.diagnostics.text import listed
from compiler.infer.absence import runs_with
from compiler.infer.engine import Engine, Skip
from compiler.infer.instances import InstanceBuilder
from compiler.infer.open_inputs import settled_by
from compiler.infer.resolved_layer import ResolvedLayer
from compiler.infer.take_lists import ListInputs
from compiler.ir.graph import Node, Place, Ref, may_lack
from compiler.ir.typed import Types
from compiler.op.errors import absent_input
from compiler.symbolic.tensor import TensorType


class InputTypes:
    """The types of what the layers of one instance take: of values that are there, and absent, and would be there.

    Args:
        engine: the inference.
        instance: the instance with the layers before the one that is asked for.
        lists: the lists that its layers take.
        path: leads to the instance, for diagnostics.
        network: whether it is a network, whose inputs are there unless they are optional.
    """

    def __init__(
        self,
        engine: Engine,
        instance: InstanceBuilder,
        lists: ListInputs,
        path: InstancePath,
        *,
        network: bool,
    ) -> None:
        self.engine, self.instance, self.lists = engine, instance, lists
        self.path, self.network = path, network
        self.report = engine.report

    def of(
        self, layer: ResolvedLayer, active: bool
    ) -> dict[str, TensorType | tuple[TensorType, ...] | None]:
        """The types of the inputs of a layer.

        Raises:
            Skip: where the layer that gives one has none, or one that is needed is absent.
        """
        types: dict[str, TensorType | tuple[TensorType, ...] | None] = {}
        for port, ref in layer.refs.items():
            if isinstance(ref, tuple):
                types[port] = self._all_present(layer.node, ref, active)
            else:
                types[port] = self.needed(layer.node, ref)
        return types

    def needed(self, node: Node, ref: Ref) -> TensorType | None:
        """The type of an input; None where it is an optional input of this block that is absent."""
        kind = None if self.lists.is_unnamed(ref) else self.instance.type_of(ref)
        if kind is None and not self.is_absent(ref):
            self.check_port(node.place, ref, self.path.to(node.name))
            raise Skip
        return kind

    def as_if_on(self, layer: ResolvedLayer, types: Types) -> Types:
        """The types of the inputs of a layer that is off, those that are off with it as they would be."""
        found = dict(types)
        for port, kind in types.items():
            refs = layer.refs[port]
            several = refs if isinstance(refs, tuple) else (refs,)
            if kind is None and any(map(self._is_off, several)):
                kinds = [self._if_on(ref) for ref in several]
                known = tuple(one for one in kinds if one is not None)
                if len(known) == len(kinds):
                    found[port] = known if isinstance(refs, tuple) else known[0]
        return found

    def with_idle(self, layer: ResolvedLayer, types: Types) -> dict[str, Any]:
        """The types of the inputs of a layer that is off, where the layers run that run with it."""
        found = dict(self.as_if_on(layer, types))
        settled = settled_by(layer.node, self.instance, self.instance.values)
        for port, ref in layer.refs.items():
            if not isinstance(ref, Ref):
                continue
            if settled.get(ref.node) is False:
                found[port] = None
            source = self.instance.nodes.get(ref.node)
            if (
                source is not None
                and source.idle
                and runs_with(layer.node, source.node)
            ):
                outputs = source.shown.outputs
                found[port] = outputs.get(ref.port or next(iter(outputs)))
        return found

    def is_absent(self, ref: Ref) -> bool:
        """Whether a value without a type may be: its layer is off, or it is an input that is not given."""
        pattern = self.instance.scope.inputs.get(ref.node)
        return self._is_off(ref) or (
            ref.node in self.instance.inputs
            and ref.node not in self.instance.nodes
            and (not self.network or (pattern is not None and pattern.optional))
        )

    def check_port(self, place: Place, ref: Ref, path: InstancePath) -> None:
        """Report an output that a layer does not have, where that is known only now."""
        source = self.instance.nodes.get(ref.node)
        if source is not None and self.lists.check_list(place, source, ref, path):
            return
        if source is not None and source.outputs and ref.port:
            help = suggestions.of_list(ref.node, ref.port, source.lists)
            help = help or f"it gives {listed([*source.of_copy, *source.lists])}"
            if not source.active:
                help = "its `when` is false here, and its first input goes through"
            elif not source.calls:
                help = f"it has no copies here, and gives its first input: write {ref.node}"
            span = place.document.locate(ref.path)
            message = f"{ref.node} has no output {ref.port}"
            self.report.error("unknown-port", span, message, help=help, path=path)

    def initial_states(self, node: Node) -> dict[str, TensorType]:
        """The types of the states that a scan starts with, of those that are outputs of layers."""
        found: dict[str, TensorType] = {}
        for name, carry in node.carry.items():
            if carry.ref is not None:
                kind = self.needed(node, carry.ref)
                if kind is not None:
                    found[name] = kind
        return found

    def _if_on(self, ref: Ref) -> TensorType | None:
        """The type of a value, also where its layer is off."""
        if not self._is_off(ref):
            return self.instance.type_of(ref)
        shown = self.instance.nodes[ref.node].shown.outputs
        return shown.get(ref.port) if ref.port else next(iter(shown.values()), None)

    def _all_present(
        self, node: Node, refs: tuple[Ref, ...], active: bool
    ) -> tuple[TensorType, ...] | None:
        """The types of several inputs; None where some are absent, and the layer is off."""
        if not active and any(self.needed(node, ref) is None for ref in refs):
            return None
        return tuple(self._present(node, ref) for ref in refs)

    def _present(self, node: Node, ref: Ref) -> TensorType:
        """The type of one of several inputs, of which none can be left out."""
        kind = self.needed(node, ref)
        if kind is None:
            error = absent_input(str(ref))
            raise self.engine.skip(self.instance, node, error, self.path.to(node.name))
        return kind

    def _is_off(self, ref: Ref) -> bool:
        """Whether a value is absent, since its layer is off."""
        source = self.instance.nodes.get(ref.node)
        if source is None:
            return False
        if source.outputs and may_lack(source.node, ref.port):
            return ref.port not in source.outputs
        return source.node.may_be_absent and not source.outputs
