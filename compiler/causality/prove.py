"""TypedGraph -> Causality: on which positions the outputs of a network depend, along a dimension of its inputs."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from weakref import WeakKeyDictionary

from compiler.causality.analyze_scope import Analyzer
from compiler.causality.trace_leak import trace_leak
from compiler.ir.causal import Causality, LeakStep, OutputFlow, ScopeFlow
from compiler.ir.typed import Instance, TypedGraph
from compiler.op.dependence import Along, AxisFlow, Dependence, Reach
from compiler.symbolic.dims import Dim
from compiler.symbolic.symbols import NETWORKS, InputDim, Symbol


def prove(
    typed: TypedGraph,
    length: str = "T",
    inputs: Collection[str] | None = None,
    network: str = "",
) -> Causality:
    """Work out on which positions of its inputs each value of a network depends.

    Args:
        typed: a graph without errors.
        length: a symbol of the network's inputs.
        inputs: the inputs that come one position after another; default: all that have the dimension.
        network: name of the network; "" for the only one.

    >>> from compiler.pipeline import compile_spec
    >>> found = prove(compile_spec("specs/wavenet.yaml").typed)
    >>> found.causal, *(str(reach) for reach in found.outputs["logits"].reaches.values())
    (True, '[-3070, 0]')
    """
    instance = typed.networks[network]
    streamed = tuple(
        name for name in streams(instance, length) if inputs is None or name in inputs
    )
    known = _PROVED.setdefault(typed, {})
    key = network, length, streamed
    if key not in known:
        found = _proved(network, instance, length, streamed)
        bare: list[Causality] = []
        for one in typed.bare.get(network, ()):
            present = tuple(name for name in streamed if one.inputs.get(name))
            bare.append(_proved(network, one, length, present))
        known[key] = replace(found, bare=tuple(bare))
    return known[key]


_PROVED: WeakKeyDictionary[
    TypedGraph, dict[tuple[str, str, tuple[str, ...]], Causality]
] = WeakKeyDictionary()
"""What was proved of a graph: its step is checked, and then derived from the same proof."""


def streams(instance: Instance, length: str) -> tuple[str, ...]:
    """The inputs of a network that have a dimension."""
    symbol = InputDim(NETWORKS, length)
    return tuple(
        name
        for name, kind in instance.inputs.items()
        if kind is not None
        and any(symbol in instance.context.value(size).symbols for size in kind.shape)
    )


def _proved(
    network: str, instance: Instance, length: str, streamed: tuple[str, ...]
) -> Causality:
    symbol = InputDim(NETWORKS, length)
    analyzer = Analyzer(symbol)
    inputs = {
        name: None if kind is None else _input(instance, name, symbol, name in streamed)
        for name, kind in instance.inputs.items()
    }
    scope = analyzer.scope(instance, inputs)
    outputs = {name: _output(analyzer, scope, name) for name in scope.outputs}
    return Causality(network, length, streamed, scope, outputs)


def _input(instance: Instance, name: str, length: Symbol, streamed: bool) -> Dependence:
    """An input that comes one position after another: element t of each axis of size T needs position t."""
    kind = instance.inputs[name]
    assert kind is not None
    axes: list[AxisFlow] = [None] * kind.rank
    found = Dependence(tuple(axes))
    for n, size in enumerate(kind.shape if streamed else ()):
        value = instance.context.value(size)
        if value == Dim.symbol(length):
            axes[n] = Along(needs={name: Reach()})
        elif length in value.symbols:
            found = found.also({name}, f"{name} has a dimension {value}")
    return replace(found, axes=tuple(axes))


def _output(analyzer: Analyzer, scope: ScopeFlow, name: str) -> OutputFlow:
    flow = scope.outputs[name]
    leak: tuple[LeakStep, ...] = ()
    if flow.carries and flow.late:
        leak = trace_leak(analyzer, scope, name)
    return OutputFlow(flow, leak)
