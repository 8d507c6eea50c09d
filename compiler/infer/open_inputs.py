"""Inputs that may be there or not when the network runs, and what comes out of a condition that asks for them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType

from compiler.expr.given import answered, asked_inputs
from compiler.expr.syntax import Expression, Given
from compiler.infer.instances import Inputs, InstanceBuilder
from compiler.infer.resolved_layer import ResolvedLayer
from compiler.ir.graph import Node, Ref, may_lack
from compiler.ir.typed import Instance
from compiler.op.arg_types import Formula
from compiler.symbolic.evaluate import ExpressionError, Value, evaluate

NOTHING_ASSUMED: Mapping[str, bool] = MappingProxyType({})


def given_values(node: Node, inputs: Inputs) -> dict[str, Value]:
    """The answers to what the condition of a layer asks for."""
    when = node.layer.when
    if not isinstance(when, Formula):
        return {}
    return {one.key: _is_there(one, inputs) for one in asked_inputs(when.expr)}


def hopeful(
    when: Expression,
    inputs: Inputs,
    open: Collection[str],
    hope: bool,
    assumed: Mapping[str, bool] = NOTHING_ASSUMED,
) -> Expression:
    """A condition with its questions answered, those for open inputs as they hope, or as they do not.

    `assumed` says of some of these whether they are there.
    """

    def answer(one: Given, hoped: bool) -> bool:
        if one.input in assumed:
            return assumed[one.input]
        return hoped is hope if one.input in open else _is_there(one, inputs)

    return answered(when, answer)


def settled_by(
    node: Node, instance: InstanceBuilder, values: Mapping[str, Value]
) -> dict[str, bool]:
    """The open inputs that are always there where a layer runs, and those that never are."""
    when = node.layer.when
    if not node.layer.asks_given or not isinstance(when, Formula):
        return {}

    def may_hold(assumed: Mapping[str, bool]) -> bool:
        best = hopeful(when.expr, instance.inputs, instance.open, True, assumed)
        try:
            return evaluate(best, values) is not False
        except ExpressionError:
            return True

    settled: dict[str, bool] = {}
    for name in dict.fromkeys(one.input for one in asked_inputs(when.expr)):
        if name in instance.open:
            ways = [there for there in (True, False) if may_hold({name: there})]
            settled |= {name: ways[0]} if len(ways) == 1 else {}
    return settled


def open_inputs(layer: ResolvedLayer, instance: InstanceBuilder) -> frozenset[str]:
    """The inputs of a block or group that may be there or not when the network runs."""
    settled = settled_by(layer.node, instance, instance.values)
    return frozenset(
        port
        for port, ref in layer.refs.items()
        if isinstance(ref, Ref) and ref.node not in settled and is_open(instance, ref)
    )


def is_open(instance: Instance | InstanceBuilder, ref: Ref) -> bool:
    """Whether a value may be there or not when the network runs."""
    source = instance.nodes.get(ref.node)
    if source is None:
        return ref.node in instance.open
    if source.node.may_be_absent and len(source.outcomes) > 1:
        return True
    inner = source.calls[0].instance if source.calls else None
    if inner is None or not may_lack(source.node, ref.port):
        return False
    return is_open(inner, inner.scope.outputs[ref.port])


def _is_there(asked: Given, inputs: Inputs) -> bool:
    return inputs.get(asked.input) is not None
