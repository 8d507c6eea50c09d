"""Other values for the params of a program: next to what it was compiled with, and small ones for large networks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from compiler.infer.infer import infer
from compiler.infer.param_values import fits
from compiler.ir.counts import ParameterCounter
from compiler.ir.typed import TypedGraph

Values = Mapping[str, Any]

_WIDE = 16
"""From here on a number is a width, or a length: something that can be divided."""


def given_values(typed: TypedGraph) -> dict[str, Any]:
    """The values that a variant or a setting chose."""
    instance = next(iter(typed.networks.values()))
    return {name: typed.params[name] for name in sorted(instance.given)}


def other_values(typed: TypedGraph) -> Iterator[dict[str, Any]]:
    """For each param some values next to its own, as far as the spec admits them; then all params with other values."""
    every = {name: _others(typed, name) for name in typed.graph.spec.params}
    for name, values in every.items():
        yield from ({name: value} for value in values)
    for turn in range(2):
        joint = {name: v[turn % len(v)] for name, v in every.items() if v}
        if len(joint) > 1:
            yield joint


def _others(typed: TypedGraph, name: str) -> list[Any]:
    """Other values of a param, none of which its declaration excludes."""
    param, value = typed.graph.spec.params[name], typed.params[name]
    others = param.choices or _near(value)
    found = [v for v in others if v != value and not fits(param, v)]
    return [v for n, v in enumerate(found) if v not in found[:n]]


def _near(value: Any) -> list[Any]:
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, value - 1, 2 * value] if value else [1, 2]
    if isinstance(value, float):
        return [0.5 * value + 0.125]
    if isinstance(value, tuple) and value:
        each = [(_near(item) or [item])[-1] for item in value]
        longer, shorter = (*value, value[-1]), value[:-1]
        return [longer, shorter, (each[0], *value[1:]), tuple(each)]
    return []


def compiled_with(typed: TypedGraph, values: Values) -> TypedGraph:
    """The graph with other values than those that were chosen."""
    return infer(typed.graph, "", {**given_values(typed), **values})


def small_values(typed: TypedGraph, most: int) -> dict[str, Any] | None:
    """Values with which all networks together have at most so many parameters; None where none were found.

    Widths are divided alike, then each param is made small for as long as that helps.
    """
    found: dict[str, Any] = {}
    for factor in (64, 32, 16, 8, 4, 2):
        divided = {
            name: _divided(value, factor)
            for name, value in typed.params.items()
            if _divided(value, factor) != value
        }
        if not compiled_with(typed, divided).failed:
            found = divided
            break
    for name, value in typed.params.items():
        for other in _smaller(found.get(name, value)):
            if not compiled_with(typed, {**found, name: other}).failed:
                found[name] = other
                break
    small = compiled_with(typed, found)
    return found if parameters(small) <= most else None


def parameters(typed: TypedGraph) -> int:
    """The parameters of all networks."""
    counter = ParameterCounter()
    return sum(counter.instance(network) for network in typed.networks.values())


def _divided(value: Any, factor: int) -> Any:
    if isinstance(value, tuple):
        return tuple(_divided(item, factor) for item in value)
    is_wide = isinstance(value, int) and not isinstance(value, bool) and value >= _WIDE
    return max(1, value // factor) if is_wide else value


def _smaller(value: Any) -> list[Any]:
    if isinstance(value, tuple):
        return [] if len(value) < 3 else [value[:2]]
    if isinstance(value, bool) or not isinstance(value, int) or value < 3:
        return []
    return [2, value // 4, value // 2] if value > 8 else [2]
