"""An instance with other values than one that was inferred, where no type depends on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from compiler.infer.engine import BlockKey, Engine
from compiler.infer.param_values import fits
from compiler.ir.graph import Scope
from compiler.ir.typed import Instance, LayerCall, TypedNode, hashable
from compiler.op.arg_types import Formula
from compiler.op.binding import BindingError, bind
from compiler.symbolic.evaluate import ExpressionError, Value, evaluate
from compiler.symbolic.symbol_table import COUNTER


class Unfit(Exception):
    """The values are wrong: inferring the instance with them tells how."""


def rebind(engine: Engine, known: Instance, params: Mapping[str, Value]) -> Instance:
    """The instance of a block with these params: the same types, other values in its ops and blocks.

    Args:
        known: an instance of the block all of whose layers were inferred.
        params: its params, of which value params alone have other values.

    Raises:
        Unfit: where a layer does not take its value.
    """
    return _Rebinder(engine, known, params).instance()


class _Rebinder:
    def __init__(
        self, engine: Engine, known: Instance, params: Mapping[str, Value]
    ) -> None:
        self.engine, self.known, self.params = engine, known, params
        values = engine.facts.value_params.of(known.scope.environment)
        changed = {n: params[n] for n in values if isinstance(params[n], float)}
        self.values = {**known.values, **changed}
        self.names = known.names.with_values(changed)

    def instance(self) -> Instance:
        known = self.known
        self.engine.charge_instance(known.scope, 0)
        nodes = dict(known.nodes)
        for name in self.engine.facts.value_params.dependents(known.scope):
            nodes[name] = self._node(nodes[name])
        return Instance(
            known.scope,
            self.params,
            known.context,
            known.inputs,
            MappingProxyType(nodes),
            known.outputs,
            self.names,
            self.values,
            open=known.open,
            types_of=known.inferred,
        )

    def _node(self, node: TypedNode) -> TypedNode:
        calls = tuple(self._call(node, call) for call in node.calls)
        speculative = tuple(self._call(node, call) for call in node.speculative)
        idle = tuple(self._call(node, call) for call in node.idle)
        return replace(node, calls=calls, speculative=speculative, idle=idle)

    def _call(self, node: TypedNode, call: LayerCall) -> LayerCall:
        values, names = self.values, self.names
        if node.node.layer.repeat is not None:
            values = {**values, COUNTER: call.counter}
            names = names.counted(call.counter)
        if call.instance is not None:
            return replace(call, instance=self._inside(node, call.instance, values))
        assert call.op is not None
        self.engine.charge_run()
        try:
            op = bind(type(call.op), node.arguments, values, names)
        except BindingError:
            raise Unfit from None
        return replace(call, op=op)

    def _inside(
        self, node: TypedNode, known: Instance, values: Mapping[str, Value]
    ) -> Instance:
        if known.scope.kind == "group":
            return _Rebinder(self.engine, known, self.params).instance()
        params = dict(known.params)
        for name in (
            self.engine.facts.value_params.of(known.scope) & node.arguments.keys()
        ):
            written = node.arguments[name]
            if isinstance(written, Formula):
                params[name] = _float(known.scope, name, written, values)
        return rebound(self.engine, known, params)


def rebound(engine: Engine, known: Instance, params: Mapping[str, Value]) -> Instance:
    """The one instance with these params and the types of another."""
    key = other_params(engine.keys[known], params)
    found = engine.known.get(key)
    if found is None:
        found = rebind(engine, known.inferred, params)
        engine.remember(key, found)
        engine.keys[found] = key
    return found


def other_params(key: BlockKey, params: Mapping[str, Value]) -> BlockKey:
    """What distinguishes an instance of the same block on the same types with other params."""
    scope, _, types = key
    return scope, hashable(tuple(params.values())), types


def _float(
    scope: Scope, name: str, written: Formula, values: Mapping[str, Value]
) -> float:
    try:
        value = evaluate(written.expr, values)
    except ExpressionError:
        raise Unfit from None
    if not isinstance(value, float) or fits(scope.params[name], value):
        raise Unfit
    return value
