"""What arithmetic and comparisons leave of what is known of values: positions, distances, guards, constants."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from compiler.op.combine_flows import aligned, join
from compiler.op.dependence import (
    NEGLIGIBLE,
    Bound,
    Dependence,
    Distance,
    Fill,
    Guard,
    Known,
    Positions,
)
from compiler.op.flow import FlowCall
from compiler.op.flow_rules import intersected, mapped

_BLOCKED = -math.inf


def joined_with(call: FlowCall, known: Known) -> Dependence:
    """All inputs, element by element, with what is known of the result."""
    (output,) = call.outputs
    return join(call, list(call.operands()), output, known)


def knowns(call: FlowCall, *ports: str) -> list[Known]:
    """What is known of the inputs, at the places of their axes in the output."""
    (output,) = call.outputs
    return [aligned(call, operand, output) for operand in call.operands(*ports)]


def as_fill(value: bool | int | float | None) -> Known:
    """A constant, if there is one."""
    return None if value is None else Fill(float(value))


def sum_of(parts: Sequence[Known]) -> Known:
    """What is known of a sum: scores that are blocked stay blocked, whatever is added."""
    blocked = [_as_blocked(one) for one in parts]
    if any(blocked):
        return intersected(blocked, _BLOCKED)
    fills = [one.value for one in parts if isinstance(one, Fill)]
    others = [one for one in parts if not isinstance(one, Fill)]
    if len(others) > 1 or (others and others[0] is None):
        return None
    total = math.fsum(fills)
    return _plus(others[0], total) if others else Fill(total)


def _as_blocked(known: Known) -> Known:
    """A mask of scores, of which those outside are so low that they count as -inf."""
    guard = known.seen(is_negligible) if isinstance(known, Guard) else None
    return guard and replace(guard, outside=_BLOCKED, inside=None)


def _plus(known: Known, value: float) -> Known:
    if isinstance(known, Positions | Distance):
        whole = value.is_integer() and not getattr(known, "absolute", False)
        return replace(known, shift=known.shift + int(value)) if whole else None
    return mapped(known, lambda x: x + value)


def negative(known: Known) -> Known:
    """What is known of -x."""
    if isinstance(known, Distance) and not known.absolute:
        return Distance(known.minus, known.plus, -known.shift)
    return mapped(known, lambda x: -x)


def difference(left: Known, right: Known) -> Known:
    """What is known of x - y."""
    if isinstance(left, Positions) and isinstance(right, Positions):
        if left.axis == right.axis:
            return Fill(left.shift - right.shift)
        return Distance(left.axis, right.axis, left.shift - right.shift)
    return sum_of([left, negative(right)])


def product_of(parts: Sequence[Known]) -> Known:
    """What is known of a product: where a factor is 0, it is 0."""
    zeros = intersected(parts, 0.0)
    if zeros is not None:
        return zeros
    fills = [one.value for one in parts if isinstance(one, Fill)]
    others = [one for one in parts if not isinstance(one, Fill)]
    total = math.prod(fills)
    if not others:
        return Fill(total)
    return times(others[0], total) if len(others) == 1 else None


def times(known: Known, factor: float) -> Known:
    """What is known of x times a number."""
    if factor == 1:
        return known
    if not factor or not math.isfinite(factor):
        return None
    return mapped(known, lambda x: x * factor)


def exponential(known: Known) -> Known:
    """What is known of exp(x): of scores that are blocked, it is 0."""
    blocked = _as_blocked(known)
    return replace(blocked, outside=0.0) if isinstance(blocked, Guard) else None


def compared(sign: str, left: Known, right: Known) -> Known:
    """What is known of a comparison: of positions along two axes, it is a guard."""
    if isinstance(left, Fill):
        return compared(_TURNED[sign], right, left) if _placed(right) else None
    distance = difference(left, right) if _placed(left) and _placed(right) else left
    value = right.value if isinstance(right, Fill) else 0.0
    if not isinstance(distance, Distance) or not value.is_integer():
        return None
    bounds = _bounds(sign, distance, int(value))
    if bounds is None:
        return None
    lo, hi, outside = bounds
    ends = distance.plus, distance.minus
    guard = Guard(*ends, lo, hi, outside, 1 - outside)
    return guard if ends[0] < ends[1] else guard.toward(ends[0])


_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}


def _placed(known: Known) -> bool:
    return isinstance(known, Positions)


def _bounds(
    sign: str, distance: Distance, value: int
) -> tuple[Bound, Bound, float] | None:
    """Where `minus - plus` must be for the comparison to hold, and what it is elsewhere."""
    shift = distance.shift
    if sign in ("==", "!="):
        at = shift - value
        return None if distance.absolute else (at, at, float(sign == "!="))
    strict = sign in ("<", ">")
    if distance.absolute:
        if sign in ("<", "<="):
            most = value - strict
            return shift - most, shift + most, 0.0
        most = value - (not strict)
        return shift - most, shift + most, 1.0
    if sign in ("<", "<="):
        return shift - value + strict, math.inf, 0.0
    return -math.inf, shift - value - strict, 0.0


def chosen(
    condition: Known, chosen_where_true: Known, chosen_where_false: Known
) -> Known:
    """What is known of `where`: outside the guard of the condition, it is one of the two."""
    both = chosen_where_true, chosen_where_false
    for taken, value in ((chosen_where_false, 0.0), (chosen_where_true, 1.0)):
        guard = intersected([condition], value)
        if isinstance(guard, Guard) and isinstance(taken, Fill):
            masked = replace(guard, outside=taken.value, inside=None)
            return intersected([masked, *both], taken.value)
    for one, other in (both, both[::-1]):
        if isinstance(one, Guard) and other == Fill(one.outside):
            return replace(one, inside=None)
    return None


def as_integer(known: Known) -> Known:
    """What is known of the values as integers."""
    values = [known.value] if isinstance(known, Fill) else []
    if isinstance(known, Guard):
        values = [known.outside, known.inside or 0.0]
    return known if all(value.is_integer() for value in values) else None


def is_negligible(value: float) -> bool:
    """Whether a score counts as -inf."""
    return value <= NEGLIGIBLE
