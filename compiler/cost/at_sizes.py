"""A summary with numbers in place of symbols."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from compiler.cost.summary import LayerSummary, PortType, ScopeSummary, Size, Summary
from compiler.diagnostics.diagnostic import RequestError, suggest
from compiler.symbolic.dims import Dim
from compiler.symbolic.domain import Constraint
from compiler.symbolic.symbols import Symbol, of_networks
from compiler.symbolic.tensor import TensorType


def at_sizes(summary: Summary, sizes: Mapping[str, int]) -> Summary:
    """Substitute sizes for symbols; symbols without a size stay in the formulas.

    Raises:
        RequestError: if no input has such a symbol, or its `dims` exclude the size.
    """
    for name, value in sizes.items():
        _check(summary, name, value)
    evaluator = _Evaluator(of_networks(sizes))
    networks = {name: evaluator.scope(one) for name, one in summary.networks.items()}
    return replace(summary, networks=networks, at={**summary.at, **sizes})


def _check(summary: Summary, name: str, value: int) -> None:
    constraint = summary.symbols.get(name)
    if constraint is None:
        known = ", ".join(summary.symbols) or "none"
        help = suggest(name, summary.symbols) or f"the symbols are: {known}"
        raise RequestError(f"no input has a dimension {name}; {help}")
    if violated := _violated(constraint, value):
        raise RequestError(f"{name} must be {violated}, not {value}")


def _violated(constraint: Constraint, value: int) -> str:
    """The part of a constraint that a size violates; "" if it satisfies all."""
    if value < constraint.min:
        return f"at least {constraint.min}"
    if constraint.max is not None and value > constraint.max:
        return f"at most {constraint.max}"
    if value % constraint.multiple_of:
        return f"a multiple of {constraint.multiple_of}"
    return ""


class _Evaluator:
    """Evaluates summaries of scopes, each distinct one once."""

    def __init__(self, values: Mapping[Symbol, int]) -> None:
        self.values = values
        self._evaluated: dict[int, ScopeSummary] = {}

    def scope(self, scope: ScopeSummary) -> ScopeSummary:
        found = self._evaluated.get(id(scope))
        if found is None:
            found = self._evaluated[id(scope)] = replace(
                scope,
                inputs=self._types(scope.inputs),
                outputs=self._types(scope.outputs),
                layers=tuple(map(self._layer, scope.layers)),
                size=self._size(scope.size),
            )
        return found

    def _layer(self, layer: LayerSummary) -> LayerSummary:
        return replace(
            layer,
            outputs=self._types(layer.outputs),
            size=self._size(layer.size),
            inside=None if layer.inside is None else self.scope(layer.inside),
        )

    def _size(self, size: Size) -> Size:
        flops, activations = self._dim(size.flops), self._dim(size.activations)
        return replace(size, flops=flops, activations=activations)

    def _dim(self, size: Dim | None) -> Dim | None:
        return None if size is None else size.substitute(self.values)

    def _types(self, types: tuple[PortType, ...]) -> tuple[PortType, ...]:
        return tuple(replace(one, values=self._type(one.values)) for one in types)

    def _type(self, type: TensorType) -> TensorType:
        return type.with_shape(*(size.substitute(self.values) for size in type.shape))
