"""How the copies of a repeated layer are chained, and which of them are equal."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from compiler.elaborate.check_names import formulas
from compiler.expr.syntax import names_in
from compiler.infer.instances import InstanceBuilder
from compiler.ir.graph import Node, Scope
from compiler.ir.typed import Types, hashable
from compiler.language.initializers import Initializer
from compiler.language.layers import Layer
from compiler.op.arg_types import Formula
from compiler.op.context import Context
from compiler.op.errors import OpError
from compiler.op.op import Op
from compiler.symbolic.evaluate import ExpressionError, Value, evaluate
from compiler.symbolic.symbol_table import COUNTER, SymbolTable
from compiler.symbolic.symbols import Opaque
from compiler.symbolic.tensor import TensorType

_Value = TypeVar("_Value")


def fed_ports(outputs: list[str], inputs: list[str]) -> dict[str, str]:
    """Which output of a copy feeds which input of the next: by name, else the first the first.

    >>> fed_ports(["output"], ["x", "mask"])
    {'output': 'x'}
    >>> fed_ports(["h", "x"], ["x", "h"])
    {'h': 'h', 'x': 'x'}
    """
    same = {name: name for name in outputs if name in inputs}
    return same or ({outputs[0]: inputs[0]} if outputs and inputs else {})


def feeds(
    layer: Layer, outputs: Iterable[str], inputs: Iterable[str], each: Collection[str]
) -> dict[str, str]:
    """Which output of a copy of a layer feeds which input of the next.

    None does where the copies are no chain. `each` are inputs of which each copy has an item of its own.
    """
    repeat = layer.repeat
    if repeat is None or not repeat.chained:
        return {}
    return fed_ports(list(outputs), [port for port in inputs if port not in each])


def for_copy(
    given: Mapping[str, _Value | tuple[_Value, ...] | None],
    each: Collection[str],
    copy: int,
) -> dict[str, Any]:
    """What a copy takes: of a list that goes item by item its own.

    >>> for_copy({"x": 1, "skip": (2, 3)}, {"skip"}, 1)
    {'x': 1, 'skip': 3}
    """
    found = dict(given)
    for port in each:
        items = given[port]
        assert isinstance(items, tuple)
        found[port] = items[copy]
    return found


def chain(
    layer: Layer,
    outputs: Mapping[str, TensorType],
    given: Types,
    each: Collection[str] = (),
) -> dict[str, Any]:
    """What the next copy takes, before it takes its items of lists."""
    following = dict(given)
    for source, port in feeds(layer, outputs, given, each).items():
        before, kind = given[port], outputs[source]
        following[port] = (kind, *before[1:]) if isinstance(before, tuple) else kind
    return following


@contextmanager
def in_copy(copy: int, given: Types, context: Context) -> Iterator[None]:
    """Faults inside tell what the copy was given, where that is not what the layer was."""
    known = len(context.tolerated or ())
    try:
        yield
    except OpError as fault:
        if copy:
            _blame_copy(fault, copy, given, context)
            if fault.code in _TYPES:
                fault.code = "repeat-mismatch"
        raise
    finally:
        for one in (context.tolerated or [])[known:] if copy else ():
            _blame_copy(one, copy, given, context)


_TYPES = {"pattern-mismatch", "kind-mismatch", "rank-mismatch"}


def _blame_copy(fault: OpError, copy: int, given: Types, context: Context) -> None:
    types = (
        f"{port} is {context.values(kind)}"
        for port, kind in given.items()
        if isinstance(kind, TensorType)
    )
    fault.label = f"in copy {copy}, {', '.join(types)}"


def copies_are_equal(given: Types, following: Types, context: Context) -> bool:
    """Whether the next copy has inputs of the same types, by value."""
    return all(
        kind is following[port]
        or _values(kind, context) == _values(following[port], context)
        for port, kind in given.items()
    )


def note_same(given: Types, following: Types, node: Node, context: Context) -> None:
    """Remember that the next copy takes what this one does: the copies of a group have one class."""
    for port, kind in given.items():
        other = following[port]
        if isinstance(kind, TensorType) and isinstance(other, TensorType):
            context.note_same(kind, other, node)


def equal_by_floats(given: Types, following: Types, names: SymbolTable) -> bool:
    """Whether values of floats alone let two sizes of what copies take be equal: `round(16 * r)` and 8."""
    pairs = ((one, following[port]) for port, one in given.items())
    return any(
        left != right
        and any(
            isinstance(symbol, Opaque) and names.names_float(symbol.formula)
            for symbol in left.symbols | right.symbols
        )
        for one, other in pairs
        if isinstance(one, TensorType) and isinstance(other, TensorType)
        for left, right in zip(one.shape, other.shape, strict=True)
    )


def _values(
    kind: TensorType | tuple[TensorType, ...] | None, context: Context
) -> object:
    if isinstance(kind, tuple):
        return tuple(context.values(item) for item in kind)
    return kind and context.values(kind)


def uses_counter(target: type[Op] | Scope, arguments: Mapping[str, Any]) -> bool:
    """Whether a copy depends on its number: by its arguments, or inside where it is a group."""
    for value in arguments.values():
        for item in value if isinstance(value, tuple) else (value,):
            expr = getattr(item, "expr", None)
            if expr is not None and COUNTER in names_in(expr):
                return True
    if not isinstance(target, Scope) or target.kind != "group":
        return False
    return any(
        any(
            COUNTER in names_in(formula.expr)
            for _, formula in formulas(node.layer, node.arguments)
        )
        or (isinstance(node.target, Scope) and uses_counter(node.target, {}))
        for node in target.each_node()
    )


def counts_copies(init: Mapping[str, Initializer]) -> bool:
    """Whether the number of a copy decides how its weights are initialised."""
    given = (one for rule in init.values() for one in rule.formulas.values())
    return any(COUNTER in names_in(one.expr) for one in given)


def equal_arguments(
    instance: InstanceBuilder, arguments: Mapping[str, Any], first: int, count: int
) -> int:
    """The copies from `first` on whose arguments are those of `first`, up to number `count`.

    Equal means: in value, and in the names of the scope as well (`widths[i]` never is).
    """
    formulas = [
        item
        for value in arguments.values()
        for item in (value if isinstance(value, tuple) else (value,))
        if isinstance(item, Formula) and COUNTER in names_in(item.expr)
    ]
    values: dict[str, Value] = {**instance.values, COUNTER: first}
    named = instance.names.counted(first)
    wanted = [hashable(_found(one, values)) for one in formulas]
    symbolic = [one for one in formulas if not _plain(one, named)]
    first_sizes = [_found(one, named) for one in symbolic]
    for copy in range(first + 1, count):
        values[COUNTER] = named[COUNTER] = copy
        if [hashable(_found(one, values)) for one in formulas] != wanted or [
            _found(one, named) for one in symbolic
        ] != first_sizes:
            return copy - first
    return count - first


def _plain(formula: Formula, named: SymbolTable) -> bool:
    """Whether the names of a formula stand for their values: then so does what it comes to."""
    names = names_in(formula.expr) - {COUNTER}
    return all(isinstance(named.get(name), float) for name in names)


def _found(formula: Formula, environment: Mapping[str, Value]) -> object:
    try:
        return evaluate(formula.expr, environment)
    except ExpressionError:
        return None
