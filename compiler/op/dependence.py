"""How a tensor depends on the positions of a network's inputs along one dimension, T.

These are the values of the pass `causality`. An axis of a tensor carries T if a rule brought it from an axis of an
input that carries T, never because its size reads `T`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import field
from fractions import Fraction
from typing import Final

from compiler.dataclass import dataclass, replace
from compiler.symbolic.dims import Dim

Bound = Fraction | float
"""An exact number, or an infinity, which is the only float."""
Source = Hashable
"""What is depended on: an input of the network by name, or an axis of a block's input, or `SIZE`."""

SIZE: Final[Source] = "the size of T"
"""The source of what depends on how long the sequence is; with a reach, on whether these positions are there."""
NEGLIGIBLE: Final = -1e4
"""A score so low that its softmax is 0 in float32, as long as the others exceed it by 104."""


@dataclass(frozen=True, slots=True)
class Reach:
    """The positions that element u of an axis may depend on: `rate * u + lo` to `rate * u + hi`."""

    lo: Bound = Fraction(0)
    hi: Bound = Fraction(0)

    def hull(self, other: Reach) -> Reach:
        """The smallest interval with both."""
        return Reach(min(self.lo, other.lo), max(self.hi, other.hi))

    def plus(self, lo: Bound, hi: Bound) -> Reach:
        """Each position with those from `lo` before to `hi` after it."""
        return Reach(self.lo + lo, self.hi + hi)

    def __str__(self) -> str:
        return f"[{_bound_text(self.lo)}, {_bound_text(self.hi)}]"


def _bound_text(bound: Bound) -> str:
    if isinstance(bound, Fraction):
        return str(bound)
    return "-inf" if bound < 0 else "inf"


Needs = Mapping[Source, Reach]


@dataclass(frozen=True, slots=True)
class Along:
    """An axis that carries T: neighbours are `rate` positions apart, and `needs` has the reach into each source.

    Without needs, it carries T and depends on no input, as position encodings and masks do.
    """

    rate: Fraction = Fraction(1)
    needs: Needs = field(default_factory=dict)
    end: Bound = Fraction(0)
    """Element u is there if position `rate * u + end` is: more than 0 where elements at the end are cut off."""

    def window(self, lo: Bound, hi: Bound, stride: Fraction | int = 1) -> Along:
        """The axis whose element w reads elements `stride * w + lo` to `stride * w + hi` of this one.

        It depends on whether the last of them is there: what is read in place of one that is not, is not what comes
        with a later position.
        """
        lo, hi = lo * self.rate, hi * self.rate
        moved = Along(self.rate * stride, end=self.end + hi)
        needs = {key: reach.plus(lo, hi) for key, reach in self.needs.items()}
        there = {SIZE: Reach(self.end + hi, self.end + hi)}
        needs = joined_needs(needs, there)
        return replace(moved, needs={k: moved._whole(v) for k, v in needs.items()})

    def _whole(self, reach: Reach) -> Reach:
        """The reach in whole positions, where elements stand at whole positions."""
        if self.rate.denominator != 1:
            return reach
        lo, hi = reach.lo, reach.hi
        return Reach(
            lo if isinstance(lo, float) else Fraction(math.ceil(lo)),
            hi if isinstance(hi, float) else Fraction(math.floor(hi)),
        )

    def repeated(self, times: int) -> Along:
        """The axis with each element so many times in a row."""
        return self.window(Fraction(1 - times, times), 0, Fraction(1, times))

    def joined(self, other: Along) -> Along | None:
        """The axis whose element u reads element u of both; None if their rates differ."""
        if self.rate != other.rate:
            if self.needs and other.needs:
                return None
            return self if self.needs else other
        end = max(self.end, other.end)
        return Along(self.rate, joined_needs(self.needs, other.needs), end)

    def reading(self, column: Along, lo: Bound, hi: Bound) -> Along | None:
        """The axis whose element u reads elements u + lo to u + hi of another, too; None if their rates differ."""
        if self.rate != column.rate:
            return None
        needs = joined_needs(self.needs, column.window(lo, hi).needs)
        return replace(self, needs=needs)

    @property
    def free(self) -> Along:
        """The same axis of a tensor that depends on no input."""
        return Along(self.rate, end=self.end)

    @property
    def latest(self) -> Bound:
        """How far the axis reaches ahead; negative where it reads earlier positions only."""
        return max((reach.hi for reach in self.needs.values()), default=-math.inf)


def joined_needs(left: Needs, right: Needs) -> dict[Source, Reach]:
    """The hull of the reach into each source."""
    found = dict(left)
    for source, reach in right.items():
        found[source] = found[source].hull(reach) if source in found else reach
    return found


@dataclass(frozen=True, slots=True)
class MergedAxis:
    """Several axes in one, row-major, of which some carry T: `[B * T]`; they are remembered until it is split again."""

    sizes: tuple[Dim, ...]
    """Their sizes, in the symbols of the network."""
    factors: tuple[Along | None, ...]

    @property
    def along(self) -> Along | None:
        """The axis as one that carries T at a fraction of the rate, where T comes first: `[T * k]`."""
        first, *others = self.factors
        times = 1
        for size in self.sizes[1:]:
            if size.constant is None:
                return None
            times *= size.constant
        if first is None or any(others) or not times:
            return None
        return first.repeated(times)

    @property
    def free(self) -> MergedAxis:
        """The same axis of a tensor that depends on no input."""
        return MergedAxis(self.sizes, tuple(f and f.free for f in self.factors))


AxisFlow = Along | MergedAxis | None


def parts(axis: AxisFlow) -> tuple[Along, ...]:
    """What carries T in an axis."""
    if isinstance(axis, MergedAxis):
        return tuple(factor for factor in axis.factors if factor is not None)
    return () if axis is None else (axis,)


def sources(axis: AxisFlow) -> frozenset[Source]:
    """What all elements of an axis together depend on."""
    found = {source for part in parts(axis) for source in part.needs}
    return frozenset(found | ({SIZE} if axis is not None else set()))


@dataclass(frozen=True, slots=True)
class Positions:
    """The value at each place of an axis is the number of the element, plus `shift`."""

    axis: int
    shift: int = 0


@dataclass(frozen=True, slots=True)
class Distance:
    """The value is (element of `plus`) - (element of `minus`) + `shift`, or its absolute value."""

    plus: int
    minus: int
    shift: int = 0
    absolute: bool = False


@dataclass(frozen=True, slots=True)
class Guard:
    """Wherever (element of `column`) - (element of `row`) is not in [lo, hi], the value is `outside`.

    False counts as 0, True as 1. `inside` is the value in [lo, hi], where it is one.
    """

    row: int
    column: int
    lo: Bound
    hi: Bound
    outside: float
    inside: float | None = None

    def toward(self, column: int) -> Guard | None:
        """The same guard said of a column: as it is, or with row and column swapped; None if it is of neither."""
        if column == self.column:
            return self
        if column != self.row:
            return None
        ends = -self.hi, -self.lo
        return Guard(self.column, self.row, *ends, self.outside, self.inside)

    def seen(self, wanted: Callable[[float], bool]) -> Guard | None:
        """The guard with a wanted value outside: itself, or what it says of the other side."""
        if wanted(self.outside):
            return self
        if self.inside is None or not wanted(self.inside):
            return None
        turned = replace(self, outside=self.inside, inside=self.outside)
        if self.lo == -math.inf:
            return replace(turned, lo=self.hi + 1, hi=math.inf)
        if self.hi == math.inf:
            return replace(turned, lo=-math.inf, hi=self.lo - 1)
        return None

    def intersected(self, other: Guard) -> Guard | None:
        """Both at once, where they are of the same axes and have the same value outside."""
        turned = other.toward(self.column)
        if turned is None or turned.row != self.row or turned.outside != self.outside:
            return None
        lo, hi = max(self.lo, turned.lo), min(self.hi, turned.hi)
        inside = self.inside if self.inside == turned.inside else None
        return replace(self, lo=lo, hi=hi, inside=inside)


@dataclass(frozen=True, slots=True)
class Fill:
    """The value is the same everywhere."""

    value: float


Known = Positions | Distance | Guard | Fill | None


@dataclass(frozen=True, slots=True)
class Dependence:
    """What a tensor depends on: along its axes, as a whole, and what is known of its values."""

    axes: tuple[AxisFlow, ...] = ()
    whole: Mapping[Source, str] = field(default_factory=dict)
    """Sources of which each element may depend on every position, with the reason."""
    start: frozenset[Source] = frozenset()
    """Sources of which each element may depend on the first position, which is safe."""
    known: Known = None

    @property
    def carries(self) -> bool:
        """Whether an axis carries T."""
        return any(axis is not None for axis in self.axes)

    @property
    def late(self) -> bool:
        """Whether an element may depend on positions after its own."""
        return bool(self.whole) or any(part.latest > 0 for part in self._parts)

    @property
    def _parts(self) -> tuple[Along, ...]:
        return tuple(part for axis in self.axes for part in parts(axis))

    @property
    def field(self) -> dict[Source, Reach]:
        """The receptive field: the reach into each source, over all axes."""
        found: dict[Source, Reach] = {}
        for part in self._parts:
            found = joined_needs(found, part.needs)
        first = dict.fromkeys(self.start, Reach(-math.inf, Fraction(0)))
        every = dict.fromkeys(self.whole, Reach(-math.inf, math.inf))
        found = joined_needs(joined_needs(found, first), every)
        found.pop(SIZE, None)
        return found

    def also(self, found: Iterable[Source], reason: str) -> Dependence:
        """The same, depending on every position of these sources too."""
        return replace(self, whole={**dict.fromkeys(found, reason), **self.whole})


def moved_known(known: Known, place: Callable[[int], int | None]) -> Known:
    """What is known of the values, with axes at other places; None where one of them is gone."""
    if known is None or isinstance(known, Fill):
        return known
    if isinstance(known, Positions):
        axis = place(known.axis)
        return None if axis is None else replace(known, axis=axis)
    if isinstance(known, Distance):
        plus, minus = place(known.plus), place(known.minus)
        if plus is None or minus is None:
            return None
        return replace(known, plus=plus, minus=minus)
    row, column = place(known.row), place(known.column)
    if row is None or column is None:
        return None
    return replace(known, row=row, column=column)
