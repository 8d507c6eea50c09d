"""Find what a layer runs where a param names it, and bind its arguments and inputs then."""

from __future__ import annotations

from compiler.diagnostics.diagnostic import Report
from compiler.elaborate.targets import bind_arguments
from compiler.elaborate.wiring import by_port, is_routed, with_routing
from compiler.infer.engine import Engine, Skip
from compiler.infer.instances import InstanceBuilder
from compiler.infer.resolved_layer import ResolvedLayer
from compiler.ir.graph import Alternatives, Node, OpParam, Place, Scope
from compiler.op.op import Op, Port


def resolve(node: Node, instance: InstanceBuilder, engine: Engine) -> ResolvedLayer:
    """A layer with its target, which is one that the spec names or the value of a param.

    Raises:
        Skip: where there is no such target, or it does not take what the layer gives it, which is reported.
    """
    assert not isinstance(node.target, Alternatives)
    if not isinstance(node.target, OpParam):
        return ResolvedLayer(node, node.target, node.arguments, node.inputs)
    name = instance.params[node.target.param]
    assert isinstance(name, str)
    home = instance.scope.environment
    target = engine.targets(home, name).find(name, home, node.place, engine.report)
    if target is None or isinstance(target, OpParam):
        raise Skip
    known = engine.facts.resolved.get((node, target))
    if known is not None:
        return known
    found = Report()
    arguments = bind_arguments(target, node.layer, node.place, found)
    refs = by_port(node.inputs, _ports(node, target), _inputs_place(node), found)
    for diagnostic in found.diagnostics:
        engine.report.add(diagnostic)
    if found.failed:
        raise Skip
    layer = ResolvedLayer(node, target, arguments, refs)
    if not found.diagnostics:
        engine.facts.resolved[node, target] = layer
    return layer


def _ports(node: Node, target: type[Op] | Scope) -> tuple[Port, ...]:
    """The ports that the inputs of a layer are for."""
    ports = (
        target.inputs
        if not isinstance(target, Scope)
        else tuple(
            Port(port, optional=bool(kind and kind.optional))
            for port, kind in target.inputs.items()
            if port not in node.carry
        )
    )
    return with_routing(ports) if is_routed(node.layer) else ports


def _inputs_place(node: Node) -> Place:
    """Where a layer says what its inputs are; itself, where it does not."""
    return node.place.at("in") if node.place.has("in") else node.place
