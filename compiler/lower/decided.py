"""Which params of a network decide what its classes are: other values of these need classes that nobody has written.

A class has the alternatives of `choose` that its uses have come to. Where another value could come to one that no use
has, and no condition in the code chooses among all of them, the value stands in the code. This is worked out from what
conditions are made of, through arguments of blocks and numbers of copies: to try other values proves nothing of
`i == 10` in five copies.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import inf

from compiler.codegen.python import Expr, Placeholder
from compiler.codegen.traversal import placeholders
from compiler.dataclass import dataclass
from compiler.expr.syntax import ComparisonOperation, names_in
from compiler.ir.graph import Alternatives
from compiler.ir.module import ScopeName, ScopeNumber
from compiler.ir.typed import Instance
from compiler.lower.build_sites import BuildSite, build_sites
from compiler.lower.choice_tests import settled, settled_for_copies
from compiler.lower.class_ir import ClassIR, count_code
from compiler.lower.class_plan import ClassPlan, Run
from compiler.lower.constructors import Constructors
from compiler.lower.listed_copies import listed_copies
from compiler.lower.scope_code import (
    name_code,
    own_counter,
    size_code,
    value_code,
)
from compiler.lower.unseen_conditions import known_size, trace_unseen
from compiler.op.arg_types import Formula
from compiler.symbolic.evaluate import Value
from compiler.symbolic.intervals import Interval, interval
from compiler.symbolic.symbol_table import COUNTER
from compiler.symbolic.symbols import CopyNumber, InputDim, Opaque, ParamNumber, Symbol

_Names = dict[str, set[str]]
"""The names of a scope that decide what a layer of it is; by "" those that decide what layers of other classes are."""


@dataclass(frozen=True)
class Decided:
    """What the classes of a file are decided by.

    Attributes:
        params: params of networks at whose other values there may be no class for a layer.
        conditions: by the identity of each network's plan, conditions over its params. Of each one outcome alone was
            seen, and no class was written for the other.
    """

    params: frozenset[str]
    conditions: Mapping[int, Sequence[Expr]]


def decided(classes: Sequence[ClassIR], constructors: Constructors) -> Decided:
    """The params of networks on which classes depend, beside what their code asks for."""
    plans = [ir.plan for ir in classes]
    callers = build_sites(classes)
    names: dict[int, _Names] = {id(plan): dict(_undecided(plan)) for plan in plans}
    traced = trace_unseen(plans, callers)
    for caller in traced.counts:
        _add(names, caller.ir.plan, _counted(caller))
    for caller in (caller for found in callers.values() for caller in found):
        if constructors.is_numbered(caller.construct, caller.ir):
            _add(names, caller.ir.plan, _counted(caller))
    for caller in (caller for found in callers.values() for caller in found):
        _add(names, caller.ir.plan, _by_value(caller))
    for ir in classes:
        for typed in listed_copies(ir, constructors):
            _add(names, ir.plan, _names(count_code(typed)))
    waiting = [plan for plan in plans if names[id(plan)]]
    while waiting:
        plan = waiting.pop()
        waiting += [
            caller.ir.plan
            for caller in callers.get(id(plan), ())
            if _add(names, caller.ir.plan, _passed(caller, plan, names[id(plan)]))
        ]
    params = {
        name
        for plan in plans
        if plan.scope.kind == "network"
        for found in names[id(plan)].values()
        for name in found & plan.scope.params.keys()
    }
    return Decided(frozenset(params), traced.conditions)


def _add(names: dict[int, _Names], plan: ClassPlan, more: Iterable[str]) -> bool:
    """Add names that decide what layers of other classes are; whether one is new."""
    known = names[id(plan)].setdefault("", set())
    found = _with_defaults(plan, set(more))
    if found <= known:
        return False
    known |= found
    return True


def _counted(caller: BuildSite) -> Iterator[str]:
    """The names that say how many copies there are of what a caller builds."""
    return _names(count_code(caller.held.typed))


def _by_value(caller: BuildSite) -> Iterator[str]:
    """The names that a size of what a block gives is computed from, where the caller has it by its value alone."""
    for run in (run for _, runs in caller.construct.plans for run in runs):
        use = run.call.instance
        assert use is not None
        sizes = {size for kind in use.outputs.values() for size in kind.shape}
        for symbol in {symbol for size in sizes for symbol in size.symbols}:
            size = run.call.binding.get(symbol)
            if (
                size is not None
                and size.constant is not None
                and isinstance(symbol, Opaque)
                and use.names.names_float(symbol.formula)
            ):
                for name in names_in(symbol.formula):
                    yield from _names(value_code(run.node.arguments.get(name)))


def _undecided(plan: ClassPlan) -> Iterator[tuple[str, set[str]]]:
    """The layers that may be something that no use of a class has, each with the names that decide it.

    So may a list of the copies that params name: other numbers may be of no copy, or in another order.
    """
    for name in plan.scope.choices:
        target = plan.scope.nodes[name].target
        assert isinstance(target, Alternatives)
        if name in plan.layers:
            known = {id(run.node.node) for run in plan.runs(name)}
            if any(id(node) not in known for node in target.nodes):
                yield name, _decided_by(plan, target.conditions)
    for name in plan.layers:
        layer = plan.scope.nodes[name].layer
        if layer.when is not None and plan.decides(name) is not None:
            count = () if layer.repeat is None else (layer.repeat.count,)
            yield f"{name}.when", _decided_by(plan, (layer.when, *count))
        repeat = layer.repeat
        if repeat is not None and any(_names(value_code(repeat.at))):
            yield f"{name}.at", _decided_by(plan, (repeat.at, repeat.count))


def _decided_by(plan: ClassPlan, values: Iterable[object]) -> set[str]:
    return _with_defaults(plan, {n for one in values for n in _names(value_code(one))})


def _with_defaults(plan: ClassPlan, names: set[str]) -> set[str]:
    """Names, and those that their defaults are computed from."""
    found, waiting = set(names), [*names]
    while waiting:
        param = plan.scope.params.get(waiting.pop())
        if param is not None:
            more = set(_names(value_code(param.default))) - found
            found |= more
            waiting += more
    return found


def _passed(caller: BuildSite, plan: ClassPlan, names: _Names) -> Iterator[str]:
    """The names in the scope of a caller that decide what the layers of a class are which it builds."""
    plans = caller.construct.plans
    closed = settled(plans)
    runs = caller.runs(plan)
    left = {layer: found for layer, found in names.items() if layer not in closed}
    chosen = [layer for layer in left if layer in plan.scope.choices]
    copies = caller.held.copies
    every = copies and bool(chosen) and settled_for_copies(plans, chosen)
    for layer, found in left.items():
        if all(_is_constant(plan, layer, run) for run in runs):
            continue
        count = copies and not (every and layer in chosen)
        for name in found:
            yield from _from_caller(caller, plan, runs, name, count)


def _is_constant(plan: ClassPlan, layer: str, run: Run) -> bool:
    """Whether a layer is the same at all sizes: its conditions compare sizes of which one is always the larger."""
    target = plan.scope.nodes[layer].target if layer in plan.scope.choices else None
    if not isinstance(target, Alternatives):
        return False
    owner = plan.first.names.owner
    conditions = [when.expr for when in target.conditions if isinstance(when, Formula)]
    every = {name for expr in conditions for name in names_in(expr)}
    sizes: dict[str, Value] = {
        name: run.call.binding[symbol]
        for name in every
        for symbol in (InputDim(owner, name), ParamNumber(owner, name))
        if symbol in run.call.binding
    }
    return len(sizes) == len(every) and all(
        isinstance(expr, ComparisonOperation) and _is_ordered(expr, sizes, run.use)
        for expr in conditions
    )


def _is_ordered(
    expr: ComparisonOperation, sizes: Mapping[str, Value], use: Instance
) -> bool:
    """Whether two sizes of a caller are always equal, or one is always the larger."""
    left, right = (known_size(side, sizes) for side in (expr.left, expr.right))
    if left is None or right is None:
        return False
    difference = left - right
    if difference.constant is not None:
        return True
    box = {symbol: _bounds(symbol, use) for symbol in difference.symbols}
    low, high = interval(difference, box)
    return low > 0 or high < 0


def _bounds(symbol: Symbol, use: Instance) -> Interval:
    """A size is at least 1: the constructor refuses others where that makes a difference."""
    if isinstance(symbol, ParamNumber):
        value = use.params.get(symbol.name)
        positive = isinstance(value, int) and value >= 1
    else:
        positive = isinstance(symbol, InputDim)
    return (1 if positive else -inf), inf


def _from_caller(
    caller: BuildSite, plan: ClassPlan, runs: Sequence[Run], name: str, count: bool
) -> Iterator[str]:
    """The names that a caller makes a name of; with `count` those of how many copies there are where it is of `i`."""
    keys = [key for code in _given(plan, runs, name) for key in placeholders(code)]
    grows = name not in plan.scope.params and plan.scope.kind == "block"
    if count and (ScopeName(COUNTER) in keys or grows):
        yield from _counted(caller)
    for key in keys:
        if isinstance(key, ScopeNumber) and isinstance(key.symbol, CopyNumber):
            yield COUNTER
        elif isinstance(key, ScopeName) and not (
            caller.held.copies and key.name == COUNTER
        ):
            yield key.name


def _given(plan: ClassPlan, runs: Sequence[Run], name: str) -> Iterator[Expr]:
    """What a caller gives for a name, in its own names; nothing where it leaves that to the default."""
    if plan.scope.kind == "group":
        counter = own_counter(plan) if name == COUNTER else None
        if isinstance(counter, CopyNumber) and counter.owner != plan.scope.owner:
            yield Placeholder(ScopeNumber(counter))
        else:
            yield name_code(name)
        return
    dimension = InputDim(plan.first.names.owner, name)
    for run in runs:
        if name in run.node.arguments:
            yield value_code(run.node.arguments[name])
        elif dimension in run.call.binding:
            yield size_code(run.call.binding[dimension])


def _names(code: Expr) -> Iterator[str]:
    return (key.name for key in placeholders(code) if isinstance(key, ScopeName))
