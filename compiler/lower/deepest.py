"""How deep networks go: numbers of copies, and of levels, each of which makes sizes of the inputs smaller.

At some depth the least sizes that `dims` admit are too small, or no longer divisible. No formula says at which, so that
the graph is inferred deeper and deeper. Numbers that conditions ask for may be of levels; they are tried, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from compiler.codegen.python import Compare, call, lit
from compiler.ir.graph import Graph
from compiler.ir.typed import TypedGraph, walk_instances
from compiler.language.params import DimRange
from compiler.lower.class_ir import Demand
from compiler.lower.scope_code import name_code
from compiler.symbolic.dims import Dim
from compiler.symbolic.evaluate import Value
from compiler.symbolic.symbols import InputDim

_DEEPER = 12
"""So many levels more than the compiled ones are tried."""

_DIVISIBLE: Final = 2**12 * 3**4 * 5**2 * 7
"""A size that so many levels divide."""


def divides(typed: TypedGraph) -> bool:
    """Whether some layer gives a size that is worked out from those of the inputs."""
    return any(size.alone is None for size in _sizes(typed))


def with_divisible_sizes(graph: Graph, typed: TypedGraph) -> Graph:
    """The graph, where every size of the inputs is large, and divisible by many numbers."""
    symbols = {
        symbol.name
        for instance in typed.networks.values()
        for kind in instance.inputs.values()
        if kind is not None
        for size in kind.shape
        for symbol in instance.context.value(size).symbols
        if isinstance(symbol, InputDim)
    }
    dims = {
        name: DimRange(min=_DIVISIBLE, multiple_of=_DIVISIBLE)
        for name in sorted(symbols)
    }
    return replace(graph, spec=graph.spec.model_copy(update={"dims": dims}))


def deepest(
    value: Value,
    inferred: Callable[[Value], TypedGraph | None],
    compiles_elsewhere: Callable[[Value], bool],
) -> int | None:
    """The largest number, or length of a list, that compiles, where the next does for other sizes alone.

    None where there is no end: another level divides nothing, or it is wrong for all sizes.
    """
    before: frozenset[Dim] | None = None
    last: Value = value
    for deeper in _deeper(value):
        typed = inferred(deeper)
        if typed is None:
            return _depth(last) if compiles_elsewhere(deeper) else None
        sizes = _sizes(typed)
        if before is not None and sizes <= before:
            return None
        before, last = sizes, deeper
    return None


def too_deep(most: Mapping[str, int], values: Mapping[str, Value]) -> Iterator[Demand]:
    """That numbers of copies, and lengths of lists, are at most these."""
    for name, depth in most.items():
        is_list = isinstance(values[name], tuple)
        number = call("len", name_code(name)) if is_list else name_code(name)
        text = f"len({name})" if is_list else name
        message = f"{text} must be at most {depth} to fit all inputs"
        yield Compare(">", number, lit(depth)), message


def _deeper(value: Value) -> Iterator[Value]:
    """A number of copies, or a list of which each item has one, and larger ones."""
    for more in range(_DEEPER):
        if isinstance(value, tuple):
            yield (*value, *value[-1:] * more)
        elif isinstance(value, int):
            yield value + more


def _depth(value: Value) -> int:
    if isinstance(value, tuple):
        return len(value)
    assert isinstance(value, int)
    return value


def _sizes(typed: TypedGraph) -> frozenset[Dim]:
    """The sizes of all tensors in the symbols of the inputs, without those that are numbers."""
    found: set[Dim] = set()
    for instance in walk_instances(typed.roots):
        for node in instance.nodes.values():
            for run in node.calls:
                for kind in run.outputs.values():
                    found.update(instance.context.values(kind).shape)
    return frozenset(size for size in found if size.constant is None)
