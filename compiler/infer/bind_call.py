"""What a block gets from the layer that calls it: values of its params, and what its symbols are there."""

from __future__ import annotations

from collections.abc import Mapping

from compiler.diagnostics.diagnostic import Report
from compiler.infer.engine import Skip
from compiler.infer.param_values import (
    default_sizes,
    float_sizes,
    formula_sizes,
    formula_value,
)
from compiler.infer.resolved_layer import ResolvedLayer
from compiler.ir.graph import Scope
from compiler.ir.typed import Instance
from compiler.op.binding import named_sizes
from compiler.symbolic.dims import Dim
from compiler.symbolic.evaluate import Value
from compiler.symbolic.symbol_table import SymbolTable
from compiler.symbolic.symbols import ParamNumber, Symbol
from compiler.symbolic.tensor import TensorType


def bind_params(
    layer: ResolvedLayer,
    target: Scope,
    values: Mapping[str, Value],
    names: SymbolTable,
    report: Report,
) -> tuple[dict[str, Value], dict[Symbol, Dim]]:
    """The values of the arguments of a call; and of those that are sizes, what they are in the names of the caller.

    Raises:
        Skip: where one has no value, which is reported.
    """
    known: dict[str, Value] = {}
    named: dict[Symbol, Dim] = {}
    for key, value in layer.arguments.items():
        found = formula_value(value, values, layer.node.place.at(key), report)
        if found is None:
            raise Skip
        known[key] = found
        named |= named_sizes(ParamNumber(target.owner, key), value, found, names)
    return known, named


def bind_symbols(
    instance: Instance,
    layer: ResolvedLayer,
    arguments: Mapping[str, Value],
    named: Mapping[Symbol, Dim],
    names: SymbolTable,
) -> dict[Symbol, Dim]:
    """What the symbols of a block are in the names of its caller; `named` are those that the call itself says."""
    binding = {**instance.context.hints, **named}
    binding |= default_sizes(instance, arguments, binding)
    binding |= formula_sizes(instance, binding)
    binding |= float_sizes(instance, layer.arguments, binding, names)
    return binding


def renamed(
    outputs: Mapping[str, TensorType], binding: Mapping[Symbol, Dim]
) -> dict[str, TensorType]:
    """Types in the names of the caller."""
    return {
        port: TensorType(
            kind.kind, tuple(size.substitute(binding) for size in kind.shape)
        )
        for port, kind in outputs.items()
    }
