"""What a layer of a scope runs, on which types, whether, and how often."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from compiler.diagnostics.diagnostic import Report
from compiler.diagnostics.text import listed
from compiler.elaborate.targets import bind_arguments
from compiler.elaborate.wiring import by_port
from compiler.infer.param_values import formula_value, shown
from compiler.ir.graph import Node, OpParam, Place, Ref, Scope
from compiler.ir.typed import Instance
from compiler.op.errors import OpError, absent_input
from compiler.op.op import Op, Port
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType

if TYPE_CHECKING:
    from compiler.infer.engine import Engine

Given = Mapping[str, Ref | tuple[Ref, ...]]


class Skip(Exception):
    """A layer that cannot be inferred; why has been reported, here or at a layer it needs."""


class ScopeReader:
    """Reads the layers of one instance of a scope.

    `path` leads to it, for diagnostics: `ResNet.layer2[0]`.
    """

    def __init__(
        self, engine: Engine, instance: Instance, path: str, depth: int
    ) -> None:
        self.engine, self.instance, self.path, self.depth = (
            engine,
            instance,
            path,
            depth,
        )
        self.report = engine.report
        self.context = instance.context

    def _resolve(self, node: Node) -> tuple[type[Op] | Scope, Mapping[str, Any], Given]:
        if not isinstance(node.target, OpParam):
            return node.target, node.arguments, node.inputs
        name = str(self.instance.params[node.target.param])
        home = self.instance.scope.environment
        targets = self.engine.targets(home, node.target.param, name)
        target = targets.find(name, home, node.place, self.report)
        if target is None or isinstance(target, OpParam):
            raise Skip
        found = Report()
        arguments = bind_arguments(target, node.layer, node.place, found)
        ports = (
            target.inputs
            if not isinstance(target, Scope)
            else tuple(
                Port(port, optional=bool(kind and kind.optional))
                for port, kind in target.inputs.items()
                if port not in node.carry
            )
        )
        given = by_port(node.inputs, ports, _inputs_place(node), found)
        for diagnostic in found.diagnostics:
            self.report.add(diagnostic)
        if found.failed:
            raise Skip
        return target, arguments, given

    def _types(
        self, node: Node, given: Given
    ) -> dict[str, TensorType | tuple[TensorType, ...] | None]:
        types: dict[str, TensorType | tuple[TensorType, ...] | None] = {}
        for port, ref in given.items():
            if isinstance(ref, tuple):
                types[port] = tuple(self._present(node, item) for item in ref)
            else:
                types[port] = self._needed(node, ref)
        return types

    def _needed(self, node: Node, ref: Ref) -> TensorType | None:
        """The type of an input; None where it is an optional input of this block that is absent."""
        kind = self._type(ref)
        if kind is None and not self._absent(ref):
            self._check_port(node.place, ref, self._path(node))
            raise Skip
        return kind

    def _present(self, node: Node, ref: Ref) -> TensorType:
        """The type of one of several inputs, of which none can be left out."""
        kind = self._needed(node, ref)
        if kind is None:
            raise self._skip(node, absent_input(str(ref)))
        return kind

    def _type(self, ref: Ref) -> TensorType | None:
        return self.instance.type_of(ref)

    def _absent(self, ref: Ref) -> bool:
        pattern = self.instance.scope.inputs.get(ref.node)
        return (
            ref.node in self.instance.inputs
            and ref.node not in self.instance.nodes
            and (self.depth > 0 or (pattern is not None and pattern.optional))
        )

    def _check_port(self, place: Place, ref: Ref, path: str) -> None:
        """Report an output that a layer does not have, where that is known only now."""
        source = self.instance.nodes.get(ref.node)
        if source is not None and source.outputs and ref.port:
            help = f"it gives {listed(source.outputs)}"
            if not source.active:
                help = "its `when` is false here, and its first input goes through"
            span = place.document.locate(ref.path)
            message = f"{ref.node} has no output {ref.port}"
            self.report.error("unknown-port", span, message, help=help, path=path)

    def _when(self, node: Node) -> bool:
        return self._holds(node, node.layer.when, node.place.at("when"))

    def _ties(self, node: Node) -> Mapping[str, str]:
        """The ties of a layer, where they hold."""
        tie = node.layer.tie
        if tie is None or not self._holds(node, tie.when, node.place.at("tie", "when")):
            return {}
        return tie.tensors

    def _holds(self, node: Node, condition: Any, place: Place) -> bool:
        if condition is None:
            return True
        value = formula_value(condition, self.instance.values, place, self.report)
        if value is None:
            raise Skip
        if not isinstance(value, bool):
            message = f"`when` is true or false, and this is {shown(value)}"
            self.report.error("bad-when", place.span(), message, path=self._path(node))
            raise Skip
        return value

    def _count(self, node: Node) -> int:
        if node.layer.repeat is None:
            return 1
        place = node.place.at("repeat")
        value = formula_value(
            node.layer.repeat.count, self.instance.values, place, self.report
        )
        limit = self.engine.limits.repeat
        if value is None:
            raise Skip
        least = min(len(node.layer.repeat.stack), 1)  # nothing cannot be stacked
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            what = "needs a copy to stack" if least else "is a number of copies"
            code, message = "bad-repeat", f"{what}, and this"
            if isinstance(value, Dim):
                code, message = (
                    "not-constant",
                    "must be known to build the network, and",
                )
            self.report.error(
                code,
                place.span(),
                f"`repeat` {message} is {shown(value)}",
                path=self._path(node),
            )
            raise Skip
        if value > limit:
            self.report.error(
                "too-large",
                place.span(),
                f"{value} copies are more than {limit}",
                path=self._path(node),
            )
            raise Skip
        return value

    def _path(self, node: Node) -> str:
        return f"{self.path}.{node.name}"

    def _skip(self, node: Node, fault: OpError) -> Skip:
        self.engine.errors.add(self.instance, node, fault, self._path(node))
        return Skip()


def _inputs_place(node: Node) -> Place:
    """Where a layer says what its inputs are; itself, where it does not."""
    return node.place.at("in") if node.place.has("in") else node.place
