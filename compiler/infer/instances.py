"""Create instances: the values of a scope's names, before its layers are inferred."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from types import MappingProxyType

from compiler.dataclass import dataclass
from compiler.diagnostics.diagnostic import Report
from compiler.infer.match_inputs import Matcher
from compiler.infer.param_values import default_value, fits, name_values
from compiler.ir.graph import Ref, Scope
from compiler.ir.typed import Instance, TypedNode, Types, type_of
from compiler.op.context import Context
from compiler.op.errors import OpError
from compiler.symbolic.dims import Dim
from compiler.symbolic.domain import Domain
from compiler.symbolic.evaluate import Value
from compiler.symbolic.symbol_table import COUNTER, SymbolTable
from compiler.symbolic.symbols import CopyNumber, InputDim, Symbol
from compiler.symbolic.tensor import TensorType

Inputs = Mapping[str, TensorType | None]


@dataclass(eq=False)
class InstanceBuilder:
    """An instance that is being inferred: its layers come one by one, in the order of the scope."""

    scope: Scope
    params: Mapping[str, Value]
    context: Context
    inputs: Inputs
    names: SymbolTable
    values: Mapping[str, Value]
    given: frozenset[str] = frozenset()
    open: frozenset[str] = frozenset()
    nodes: dict[str, TypedNode] = field(default_factory=dict)
    outputs: dict[str, TensorType] = field(default_factory=dict)

    def type_of(self, ref: Ref) -> TensorType | None:
        """The type of a value, where it is inferred."""
        return type_of(ref, self.scope, self.inputs, self.nodes)

    def freeze(self) -> Instance:
        """The instance with what is inferred by now."""
        return Instance(
            self.scope,
            self.params,
            self.context,
            self.inputs,
            MappingProxyType(self.nodes),
            MappingProxyType(self.outputs),
            self.names,
            self.values,
            self.given,
            self.open,
        )


def block_params(
    scope: Scope,
    arguments: Mapping[str, Value],
    sizes: Mapping[str, Value],
    report: Report,
) -> dict[str, Value]:
    """The value of every param of a block: an argument, or its default.

    Raises:
        OpError: if there is none, or an invalid one.
    """
    values: dict[str, Value] = {}
    for name, param in scope.params.items():
        value: Value | None
        if name in arguments:
            value = arguments[name]
        else:
            place = scope.place.at("params", name)
            value = default_value(param, {**sizes, **values}, place, report)
        if value is None:
            message = f"{scope.name} has no value for {name}"
            raise OpError("missing-argument", message, "", name)
        if wrong := fits(param, value):
            raise OpError("bad-value", f"{name} {wrong}", "", name)
        values[name] = value
    return values


def block_instance(
    scope: Scope,
    params: Mapping[str, Value],
    matcher: Matcher,
    given: Inputs,
    domain: Domain,
) -> InstanceBuilder:
    """A block in names of its own: those of its params, and of the sizes that its inputs name."""
    hints = matcher.match.hints
    symbols, numbers = name_values(matcher.owner, params)
    symbols |= {one.name: Dim.symbol(one) for one in hints if isinstance(one, InputDim)}
    context = Context({**numbers, **hints}, domain)
    names = SymbolTable(symbols, context.hints, matcher.owner)
    values = {**params, **as_values(hints)}
    inputs = {
        port: matcher.inside(port, pattern, names, values)
        if pattern and given.get(port)
        else None
        for port, pattern in scope.inputs.items()
    }
    return InstanceBuilder(scope, params, context, inputs, names, values)


def group_instance(
    scope: Scope, outer: InstanceBuilder, inputs: Inputs, counter: int | None
) -> InstanceBuilder:
    """A group in the names of the scope around it, and that of the counter where it uses it."""
    context, names, values = outer.context, outer.names, outer.values
    if counter is not None:
        number = CopyNumber(scope.owner)
        context = Context({**context.hints, number: Dim.of(counter)}, context.domain)
        symbols = {**names, COUNTER: Dim.symbol(number)}
        names = SymbolTable(symbols, context.hints, names.owner)
        values = {**values, COUNTER: counter}
    return InstanceBuilder(scope, outer.params, context, dict(inputs), names, values)


def as_values(hints: Mapping[Symbol, Dim]) -> dict[str, Value]:
    """The sizes of named dimensions as values: numbers where they are known."""
    return {
        symbol.name: size if size.constant is None else size.constant
        for symbol, size in hints.items()
        if isinstance(symbol, InputDim)
    }


def single_types(types: Types) -> dict[str, TensorType | None]:
    """The types at the ports that take one tensor."""
    return {port: kind for port, kind in types.items() if not isinstance(kind, tuple)}
