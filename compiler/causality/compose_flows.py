"""A block's dependences, said in its own inputs, put in terms of what its caller gives it."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping

from compiler.dataclass import replace
from compiler.ir.causal import PortAxis, PortRest
from compiler.op.combine_flows import AxisJoiner
from compiler.op.dependence import (
    SIZE,
    Along,
    AxisFlow,
    Dependence,
    MergedAxis,
    Reach,
    Source,
    parts,
)

Given = Mapping[str, Dependence | None]


def entered(port: str, given: Dependence) -> Dependence:
    """What an input of a block depends on, inside: its own axes, each as [0, 0]."""
    axes = tuple(_entered(port, n, axis) for n, axis in enumerate(given.axes))
    return Dependence(axes, {PortRest(port): ""}, known=given.known)


def _entered(port: str, number: int, axis: AxisFlow) -> AxisFlow:
    def own(part: int, old: Along) -> Along:
        return replace(old, needs={PortAxis(port, number, part): Reach()})

    if isinstance(axis, MergedAxis):
        factors = [f and own(n, f) for n, f in enumerate(axis.factors)]
        return replace(axis, factors=tuple(factors))
    return axis and own(0, axis)


def pattern(given: Dependence | None) -> Hashable:
    """What of an input decides how a block passes it on: which axes carry T, at what rate, and what is known."""
    if given is None:
        return None
    return tuple(map(_axis_pattern, given.axes)), given.known


def _axis_pattern(axis: AxisFlow) -> Hashable:
    if isinstance(axis, MergedAxis):
        return axis.sizes, tuple(map(_axis_pattern, axis.factors))
    return axis and (axis.rate, axis.end)


def composed(inner: Dependence, given: Given) -> Dependence:
    """An output of a block, in terms of what its inputs depend on."""
    axes = tuple(_composed(axis, given) for axis in inner.axes)
    whole: dict[Source, str] = {}
    start: set[Source] = set()
    for source, reason in inner.whole.items():
        if isinstance(source, PortRest):
            outer = given[source.port] or Dependence()
            whole = {**outer.whole, **whole}
            start |= outer.start
        elif isinstance(source, PortAxis):
            whole |= dict.fromkeys(_needs(source, given), reason)
        else:
            whole.setdefault(source, reason)
    for source in inner.start:
        for outer_source, reach in _needs(source, given).items():
            if reach.hi <= 0:
                start.add(outer_source)
            else:
                whole[outer_source] = "reads the first of elements that look ahead"
    return Dependence(axes, whole, frozenset(start), inner.known)


def _needs(source: Source, given: Given) -> Mapping[Source, Reach]:
    if not isinstance(source, PortAxis):
        return {}
    outer = given[source.port]
    if outer is None:
        return {}
    return _part(outer.axes[source.axis], source.part).needs


def _part(axis: AxisFlow, number: int) -> Along:
    found = axis.factors[number] if isinstance(axis, MergedAxis) else axis
    return found or Along()


def _composed(axis: AxisFlow, given: Given) -> AxisFlow:
    return _by_part(axis, lambda one: _along(one, given))


def _along(axis: Along, given: Given) -> Along:
    found = axis.free
    for source, reach in axis.needs.items():
        needs = {
            outer: inner.plus(reach.lo, reach.hi)
            for outer, inner in _needs(source, given).items()
        }
        if source == SIZE:
            needs = {SIZE: reach}
        joined = found.joined(replace(found, needs=needs))
        assert joined is not None
        found = joined
    return found


def ports_read(inner: Dependence) -> frozenset[str]:
    """The inputs of a block that an output depends on."""
    sources = {*inner.whole, *inner.start}
    for axis in inner.axes:
        sources.update(*(part.needs for part in parts(axis)))
    found = (s.port for s in sources if isinstance(s, PortAxis | PortRest))
    return frozenset(found)


def hulled(flows: list[Dependence]) -> Dependence:
    """What any of several tensors of one type depends on."""
    joiner = AxisJoiner(len(flows[0].axes))
    for flow in flows:
        for place, axis in enumerate(flow.axes):
            joiner.add(place, axis)
    return joiner.result(*flows)


def calm(given: Dependence) -> Dependence:
    """The same, as if it read no later positions."""

    def along(axis: Along) -> Along:
        needs = {s: Reach(min(r.lo, 0), min(r.hi, 0)) for s, r in axis.needs.items()}
        return replace(axis, needs=needs)

    axes = tuple(_by_part(axis, along) for axis in given.axes)
    return replace(given, axes=axes, whole={})


def widened(old: Dependence, new: Dependence) -> Dependence:
    """The new dependence, where what has grown has no end."""
    known = old.field

    def reach(source: Source, now: Reach) -> Reach:
        then = known.get(source, now)
        lo = -math.inf if now.lo < then.lo else now.lo
        hi = math.inf if now.hi > then.hi else now.hi
        return Reach(lo, hi)

    def along(axis: Along) -> Along:
        return replace(axis, needs={s: reach(s, r) for s, r in axis.needs.items()})

    return replace(new, axes=tuple(_by_part(axis, along) for axis in new.axes))


def _by_part(axis: AxisFlow, change: Callable[[Along], Along]) -> AxisFlow:
    """An axis with what carries T in it changed."""
    if isinstance(axis, MergedAxis):
        factors = tuple(f and change(f) for f in axis.factors)
        return replace(axis, factors=factors)
    return axis and change(axis)
