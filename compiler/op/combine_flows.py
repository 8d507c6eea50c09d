"""How tensors that depend on positions are combined: broadcast, regrouped, contracted, read through windows."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import accumulate
from operator import mul

from compiler.dataclass import dataclass, replace
from compiler.op.dependence import (
    Along,
    AxisFlow,
    Bound,
    Dependence,
    Fill,
    Guard,
    Known,
    MergedAxis,
    Positions,
    Source,
    moved_known,
    sources,
)
from compiler.op.flow import FlowCall, Operand
from compiler.symbolic.dims import Dim, exact_div
from compiler.symbolic.tensor import TensorType

Shape = tuple[Dim, ...]


def gathered(flows: Iterable[Dependence]) -> Dependence:
    """What several tensors depend on as wholes, without axes."""
    whole: dict[Source, str] = {}
    start: set[Source] = set()
    for flow in flows:
        whole = {**flow.whole, **whole}
        start |= flow.start
    return Dependence((), whole, frozenset(start))


def all_of(axis: AxisFlow, reason: str) -> Dependence:
    """What depends on all of an axis."""
    return Dependence().also(sources(axis), reason)


def plus(flow: Dependence, *others: Dependence) -> Dependence:
    """A tensor that depends as a whole on others too."""
    whole = gathered((flow, *others))
    return replace(flow, whole=whole.whole, start=whole.start)


def element(axis: AxisFlow, index: int) -> Dependence:
    """What one element of an axis depends on: safe where it needs no position after the first."""
    if not isinstance(axis, Along):
        return all_of(axis, f"reads element {index}")
    start: set[Source] = set()
    late: set[Source] = set()
    for source, reach in axis.needs.items():
        (start if axis.rate * index + reach.hi <= 0 else late).add(source)
    reason = f"reads element {index} at every position"
    return Dependence((), dict.fromkeys(late, reason), frozenset(start))


def meet(left: AxisFlow, right: AxisFlow) -> AxisFlow | Dependence:
    """The axis whose element u reads element u of both; what all of both need where they do not fit."""
    if left is None or right is None:
        return left or right
    joined: AxisFlow = None
    if isinstance(left, Along) and isinstance(right, Along):
        joined = left.joined(right)
    elif isinstance(left, MergedAxis) and isinstance(right, MergedAxis):
        joined = _meet_merged(left, right)
    if joined is not None:
        return joined
    reason = "meets an axis of another rate"
    return plus(all_of(left, reason), all_of(right, reason))


def _meet_merged(left: MergedAxis, right: MergedAxis) -> AxisFlow:
    if left.sizes != right.sizes:
        return None
    factors: list[Along | None] = []
    for one, other in zip(left.factors, right.factors, strict=True):
        factor = meet(one, other)
        if isinstance(factor, Dependence | MergedAxis):
            return None
        factors.append(factor)
    return MergedAxis(left.sizes, tuple(factors))


class AxisJoiner:
    """Axes that are joined one after another; what does not fit is depended on as a whole."""

    def __init__(self, rank: int) -> None:
        self.axes: list[AxisFlow] = [None] * rank
        self.rest: list[Dependence] = []

    def add(self, place: int, axis: AxisFlow) -> None:
        """Join an axis to the one at a place."""
        found = meet(self.axes[place], axis)
        if isinstance(found, Dependence):
            self.rest.append(found)
            old = self.axes[place]
            found = old.free if old is not None else None
        self.axes[place] = found

    def result(self, *flows: Dependence, known: Known = None) -> Dependence:
        """The tensor with these axes, and what is depended on as a whole."""
        whole = gathered((*flows, *self.rest))
        return Dependence(tuple(self.axes), whole.whole, whole.start, known)


def join(
    call: FlowCall, operands: Iterable[Operand], output: TensorType, known: Known = None
) -> Dependence:
    """The tensor whose elements read the elements at the same place of others, which broadcast."""
    joiner, flows = AxisJoiner(output.rank), []
    for flow, kind in operands:
        flows.append(flow)
        added = output.rank - kind.rank
        for place, axis in enumerate(flow.axes, added):
            if axis is None:
                continue
            if _broadcasts(call, kind.shape[place - added], output.shape[place]):
                joiner.rest.append(element(axis, 0))
            else:
                joiner.add(place, axis)
    return joiner.result(*flows, known=known)


def _broadcasts(call: FlowCall, size: Dim, wanted: Dim) -> bool:
    return call.number(size) == 1 and call.number(wanted) != 1


def aligned(call: FlowCall, operand: Operand, output: TensorType) -> Known:
    """What is known of a tensor's values, at the places that its axes have in an output that it broadcasts to."""
    flow, kind = operand
    added = output.rank - kind.rank

    def place(axis: int) -> int | None:
        wide = _broadcasts(call, kind.shape[axis], output.shape[axis + added])
        return None if wide else axis + added

    return moved_known(flow.known, place)


def with_axes(flow: Dependence, order: Sequence[int | None]) -> Dependence:
    """The tensor whose axis n is axis `order[n]` of another, or new; axes that are not there any more carry no T."""
    places = {axis: n for n, axis in enumerate(order) if axis is not None}
    axes = tuple(None if axis is None else flow.axes[axis] for axis in order)
    known = moved_known(flow.known, places.get)
    return replace(flow, axes=axes, known=known)


def without(flow: Dependence, axes: Collection[int], reason: str) -> Dependence:
    """The tensor, where each element depends on all of these axes."""
    lost = [all_of(flow.axes[axis], reason) for axis in sorted(axes)]
    kept = tuple(
        axis.free if axis is not None and n in axes else axis
        for n, axis in enumerate(flow.axes)
    )
    return replace(plus(flow, *lost), axes=kept, known=None)


def read(flow: Dependence, axis: int, new: AxisFlow) -> Dependence:
    """The tensor with another axis at a place."""
    axes = (*flow.axes[:axis], new, *flow.axes[axis + 1 :])
    return replace(flow, axes=axes, known=None)


def windowed(
    flow: Dependence, axis: int, lo: Bound, hi: Bound, stride: Fraction | int = 1
) -> Dependence:
    """The tensor whose element w along an axis reads elements `stride * w + lo` to `stride * w + hi`.

    Windows on an axis that does not carry T change nothing.
    """
    old = flow.axes[axis]
    if isinstance(old, MergedAxis):
        old = old.along
    if old is None:
        merged = flow.axes[axis]
        if merged is None:
            return replace(flow, known=None)
        return without(flow, {axis}, "windows over several axes in one")
    return read(flow, axis, old.window(lo, hi, stride))


def shifted(flow: Dependence, axis: int, start: int, step: int = 1) -> Dependence:
    """The tensor from an element on, `step` apart; a negative start puts other elements in front."""
    found = windowed(flow, axis, start, start, step)
    if step != 1 or flow.axes[axis] is None:
        kept = flow.axes[axis] is None
        return replace(found, known=flow.known if kept else None)
    return replace(found, known=_shifted_known(flow.known, axis, start))


def _shifted_known(known: Known, axis: int, start: int) -> Known:
    """What is known of a tensor from element `start` of an axis on; in front of it nothing is known."""
    if start < 0:
        return None
    if isinstance(known, Positions) and known.axis == axis:
        return replace(known, shift=known.shift + start)
    if isinstance(known, Guard) and axis in (known.row, known.column):
        by = start if axis == known.row else -start
        return replace(known, lo=known.lo + by, hi=known.hi + by)
    return known if isinstance(known, Fill) else None


# Splitting and merging axes.


def regrouped(
    call: FlowCall, flow: Dependence, before: Shape, after: Shape
) -> Dependence:
    """The tensor in another shape with the same elements in row-major order."""
    axes, sizes, home = _expanded(call, flow, before)
    wanted = tuple(map(call.value, after))
    joiner = AxisJoiner(len(wanted))
    places: dict[int, int] = {}
    for old, new in _groups(call, sizes, wanted):
        found = _regroup(
            call, [axes[n] for n in old], [sizes[n] for n in old], wanted, new
        )
        if isinstance(found, Dependence):
            joiner.rest.append(found)
            found = {n: call.axis_of(after[n]) for n in new}
        for n, axis in found.items():
            joiner.axes[n] = axis
        if len(old) == len(new) == 1:
            places |= {home[old[0]]: new[0]} if old[0] in home else {}
    known = moved_known(flow.known, places.get)
    return joiner.result(flow, known=known)


def _expanded(
    call: FlowCall, flow: Dependence, shape: Shape
) -> tuple[list[AxisFlow], list[Dim], dict[int, int]]:
    """The axes with merged ones split again, their sizes, and which axis each whole one was."""
    axes: list[AxisFlow] = []
    sizes: list[Dim] = []
    home: dict[int, int] = {}
    for n, axis in enumerate(flow.axes):
        if isinstance(axis, MergedAxis):
            axes += axis.factors
            sizes += axis.sizes
        else:
            home[len(axes)] = n
            axes.append(axis)
            sizes.append(call.value(shape[n]))
    return axes, sizes, home


def _groups(
    call: FlowCall, before: Sequence[Dim], after: Sequence[Dim]
) -> list[tuple[list[int], list[int]]]:
    """The smallest runs of axes with equal numbers of elements, in order."""
    groups: list[tuple[list[int], list[int]]] = []
    i = j = 0
    while i < len(before) or j < len(after):
        a, b = _group(call, before[i:], after[j:])
        groups.append((list(range(i, i + a)), list(range(j, j + b))))
        i, j = i + a, j + b
    return groups


def _group(
    call: FlowCall, before: Sequence[Dim], after: Sequence[Dim]
) -> tuple[int, int]:
    """How many of the first axes on each side have equally many elements."""
    if not before or not after:
        return len(before), len(after)
    left, right = list(accumulate(before, mul)), list(accumulate(after, mul))
    for total in range(2, len(before) + len(after)):
        for a in range(max(1, total - len(after)), min(len(before), total - 1) + 1):
            if call.equal(left[a - 1], right[total - a - 1]):
                return a, total - a
    return len(before), len(after)


def _product(sizes: Iterable[Dim]) -> Dim:
    total = Dim.of(1)
    for size in sizes:
        total = total * size
    return total


def _regroup(
    call: FlowCall,
    axes: list[AxisFlow],
    sizes: list[Dim],
    after: Shape,
    new: list[int],
) -> dict[int, AxisFlow] | Dependence:
    """The new axes that carry T; what all of the old ones need where they are taken apart and mixed."""
    if not any(axes):
        return {}
    old = [(axis, size) for axis, size in zip(axes, sizes, strict=True) if size != 1]
    wide = [n for n in new if after[n] != 1]
    if len(old) < sum(axis is not None for axis in axes):
        return gathered([element(axis, 0) for axis in axes if axis is not None])
    if len(wide) == 1:
        return {wide[0]: merged(*zip(*old, strict=True))}
    if len(old) == 1 and isinstance(old[0][0], Along):
        times = [after[n].constant for n in wide[1:]]
        if all(times):
            k = _product(after[n] for n in wide[1:]).constant or 1
            return {wide[0]: old[0][0].window(0, k - 1, k)}
    reason = "splits T, so that neighbours are far apart"
    return gathered([all_of(axis, reason) for axis, _ in old])


def merged(axes: Sequence[AxisFlow], sizes: Sequence[Dim]) -> AxisFlow:
    """Several axes in one."""
    kept = [n for n, size in enumerate(sizes) if size != 1]
    if not any(axes):
        return None
    if len(kept) == 1:
        return axes[kept[0]]
    factors: list[Along | None] = []
    spans: list[Dim] = []
    for n in kept:
        axis = axes[n]
        factors += axis.factors if isinstance(axis, MergedAxis) else (axis,)
        spans += axis.sizes if isinstance(axis, MergedAxis) else (sizes[n],)
    return MergedAxis(tuple(spans), tuple(factors))


def split_axis(
    call: FlowCall, axis: AxisFlow, size: Dim, sizes: Shape
) -> tuple[tuple[AxisFlow, ...], Dependence]:
    """An axis in several, and what they depend on as a whole."""
    found = regrouped(call, Dependence((axis,)), (size,), sizes)
    return found.axes, found


# Sums of products.


@dataclass(frozen=True, slots=True)
class Band:
    """Only elements of axis `column` in [row + lo, row + hi] count for an element of axis `row`."""

    row: str
    column: str
    lo: Bound
    hi: Bound


@dataclass(frozen=True, slots=True)
class Labelled:
    """A tensor whose axes have names."""

    flow: Dependence
    labels: tuple[str, ...]

    def band(self, blocked: Callable[[float], bool]) -> tuple[Band, ...]:
        """What its guard leaves, if the value outside makes an element not count."""
        known = self.flow.known
        guard = known.seen(blocked) if isinstance(known, Guard) else None
        if guard is None:
            return ()
        row, column = self.labels[guard.row], self.labels[guard.column]
        return (
            Band(row, column, guard.lo, guard.hi),
            Band(column, row, -guard.hi, -guard.lo),
        )


def is_zero(value: float) -> bool:
    """Whether an element does not count in a sum of products."""
    return value == 0


def labelled(
    call: FlowCall, operand: Operand, labels: Sequence[str], sizes: Mapping[str, Dim]
) -> Labelled:
    """A tensor with names for its axes; axes of size 1 that broadcast against larger ones are read at 0."""
    flow, kind = operand
    rest: list[Dependence] = []
    axes = list(flow.axes)
    known = flow.known
    for n, label in enumerate(labels):
        if _broadcasts(call, kind.shape[n], sizes.get(label, kind.shape[n])):
            rest.append(element(axes[n], 0))
            axes[n] = None
            known = moved_known(known, lambda axis, n=n: None if axis == n else axis)  # type: ignore[misc]
    found = plus(replace(flow, axes=tuple(axes), known=known), *rest)
    return Labelled(found, tuple(labels))


def contract(
    operands: Sequence[Labelled],
    result: Sequence[str],
    bands: Sequence[Band],
    reason: str,
    *,
    along: Collection[str] = (),
) -> Dependence:
    """The tensor with these axes that combines all elements of the others.

    Args:
        operands: the tensors; axes of one name are the same.
        result: the axes that stay.
        bands: which elements of an axis count for which of another.
        reason: why it depends on all of an axis that carries T, where no band limits it.
        along: axes that stay, and along which elements are combined all the same, as in softmax.
    """
    names = list(dict.fromkeys(label for one in operands for label in one.labels))
    joiner = AxisJoiner(len(names))
    for one in operands:
        for label, axis in zip(one.labels, one.flow.axes, strict=True):
            joiner.add(names.index(label), axis)
    found = dict(zip(names, joiner.axes, strict=True))
    rest = list(joiner.rest)
    kept = {label: found.get(label) for label in result}
    for label in names:
        if label in result and label not in along:
            continue
        rest += _spread(label, found[label], kept, bands, reason)
    whole = gathered([*(one.flow for one in operands), *rest])
    return Dependence(tuple(kept[label] for label in result), whole.whole, whole.start)


def _spread(
    label: str,
    axis: AxisFlow,
    kept: dict[str, AxisFlow],
    bands: Sequence[Band],
    reason: str,
) -> list[Dependence]:
    """Give the rows what they read of a column that is combined; what is read of all of it, where nothing limits it."""
    if axis is None:
        return []
    row, limits = _limits(label, kept, bands)
    old = kept.get(row)
    if isinstance(axis, Along) and isinstance(old, Along):
        reading = old.reading(axis, *limits)
        if reading is not None:
            kept[row] = reading
            return []
    if label in kept:
        kept[label] = axis.free
    return [all_of(axis, reason)]


def _limits(
    column: str, kept: Mapping[str, AxisFlow], bands: Sequence[Band]
) -> tuple[str, tuple[Bound, Bound]]:
    """The axis that limits a column, and how."""
    found = [one for one in bands if one.column == column and kept.get(one.row)]
    rows = [one.row for one in found if one.row != column]
    if not rows:
        return "", (0, 0)
    row = rows[0]
    lo = max(one.lo for one in found if one.row == row)
    hi = min(one.hi for one in found if one.row == row)
    return row, (lo, hi)


def exact_number(call: FlowCall, size: Dim, divisor: Dim) -> int | None:
    """The quotient of two sizes, where it is a number."""
    found = exact_div(call.value(size), call.value(divisor))
    return None if found is None else found.constant


def concatenated(
    call: FlowCall, operands: Sequence[Operand], axis: int, rank: int
) -> Dependence:
    """Tensors of a rank one after another along an axis.

    Along T, fixed parts in front are a prefix, and fixed parts after it are beyond its end.
    """
    joiner, offset, seen = AxisJoiner(rank), 0, False
    reason = "places depend on the size of T"
    lo: Bound = 0
    for flow, kind in operands:
        own = flow.axes[axis]
        for n, other in enumerate(flow.axes):
            if n != axis:
                joiner.add(n, other)
        if own is not None and seen:
            joiner.rest += [all_of(own, reason), all_of(joiner.axes[axis], reason)]
        elif own is not None:
            seen = True
            joiner.add(axis, windowed(flow, axis, lo, -offset).axes[axis])
            joiner.rest.append(windowed(flow, axis, lo, -offset))
        size = call.number(kind.shape[axis])
        lo = -math.inf if size is None else lo - size
        offset += size or 0
    return joiner.result(*(flow for flow, _ in operands))
