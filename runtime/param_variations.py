"""Variations of a program's params: values near the compiled ones, and small ones for large networks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from compiler.infer.infer import infer
from compiler.infer.param_values import fits
from compiler.ir.counts import ParameterCounter
from compiler.ir.typed import TypedGraph

Values = Mapping[str, Any]

_MIN_WIDTH: Final = 16
"""Integers from here on are treated as widths or lengths, which can be divided."""
_SHRINK_FACTORS: Final = (64, 32, 16, 8, 4, 2)


def overridden_values(typed: TypedGraph) -> dict[str, Any]:
    """The params that a variant or an override sets."""
    given = {name for one in typed.networks.values() for name in one.given}
    return {name: typed.params[name] for name in sorted(given)}


def other_values(typed: TypedGraph) -> Iterator[dict[str, Any]]:
    """Each param with a few other values that the spec allows; then all params with other values at once."""
    choices = {name: _variations(typed, name) for name in typed.graph.spec.params}
    for name, values in choices.items():
        yield from ({name: value} for value in values)
    for i in range(2):
        joint = {name: v[i % len(v)] for name, v in choices.items() if v}
        if len(joint) > 1:
            yield joint


def _variations(typed: TypedGraph, name: str) -> list[Any]:
    """Other values of a param that its declaration allows, without repeats."""
    param, value = typed.graph.spec.params[name], typed.params[name]
    candidates = param.choices or _near(value)
    allowed = [v for v in candidates if v != value and not fits(param, v)]
    return [v for i, v in enumerate(allowed) if v not in allowed[:i]]


def _near(value: Any) -> list[Any]:
    """Values near another one."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, value - 1, 0, 2 * value] if value else [1, 2]
    if isinstance(value, float):
        return [0.5 * value + 0.125]
    if isinstance(value, tuple) and value:
        items = [(_near(item) or [item])[-1] for item in value]
        longer, shorter = (*value, value[-1]), value[:-1]
        none = [(0, *value[1:]), (*value[:-1], 0)] if _are_sizes(value) else []
        return [longer, shorter, (items[0], *value[1:]), *none, tuple(items)]
    return []


def _are_sizes(items: Iterable[Any]) -> bool:
    """Whether they are numbers of at least 1, which may be numbers of copies."""
    return all(type(item) is int and item >= 1 for item in items)


def compiled_with(typed: TypedGraph, values: Values) -> TypedGraph:
    """The typed graph with these params in place of its own."""
    return infer(typed.graph, "", {**overridden_values(typed), **values})


def small_values(typed: TypedGraph, max_parameters: int) -> dict[str, Any] | None:
    """Params with which all networks together have at most `max_parameters`; None if none are found.

    Widths are divided by one factor, then each param is made as small as the spec compiles with.
    """
    values: dict[str, Any] = {}
    for factor in _SHRINK_FACTORS:
        divided = {
            name: _divide(value, factor)
            for name, value in typed.params.items()
            if _divide(value, factor) != value
        }
        if not compiled_with(typed, divided).failed:
            values = divided
            break
    for name, value in typed.params.items():
        for smaller in _smaller(values.get(name, value)):
            if not compiled_with(typed, {**values, name: smaller}).failed:
                values[name] = smaller
                break
    small = compiled_with(typed, values)
    return values if parameter_count(small) <= max_parameters else None


def parameter_count(typed: TypedGraph) -> int:
    """The number of parameters of all networks together."""
    counter = ParameterCounter()
    return sum(counter.instance(network) for network in typed.networks.values())


def _divide(value: Any, factor: int) -> Any:
    """A width divided by a factor, at least 1; other values stay."""
    if isinstance(value, tuple):
        return tuple(_divide(item, factor) for item in value)
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return max(1, value // factor) if is_number and value >= _MIN_WIDTH else value


def _smaller(value: Any) -> list[Any]:
    """Smaller values, the smallest first."""
    if isinstance(value, tuple):
        return [] if len(value) < 3 else [value[:2]]
    if isinstance(value, bool) or not isinstance(value, int) or value < 3:
        return []
    return [2, value // 4, value // 2] if value > 8 else [2]
