"""A rearrange pattern as torch calls: unflatten, squeeze, permute, flatten and unsqueeze."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from compiler.codegen.python import Expr, TupleExpr, lit, method
from compiler.ops._einops_pattern import ELLIPSIS, EinopsPattern, Group

_UNIT = "1"
"""Represents a dimension of size 1 in a list of axis names."""


def rearrange_code(
    value: Expr, pattern: EinopsPattern, sizes: Mapping[str, Expr]
) -> Expr:
    """The expression that rearranges a value; an axis without a size is passed to torch as -1."""
    value = _split_groups(value, pattern.left, sizes)
    axes = [axis for group in pattern.left for axis in group or (_UNIT,)]
    value = _squeeze(value, axes)
    before = [axis for axis in axes if axis != _UNIT]
    value = _reorder(value, before, [x for group in pattern.right for x in group])
    return _merge_groups(value, pattern.right)


def _index(names: Sequence[object], i: int) -> int:
    """The index of a dimension, negative if `...` precedes it."""
    after_ellipsis = ELLIPSIS in names[:i] or (ELLIPSIS,) in names[:i]
    return i - len(names) if after_ellipsis else i


def _split_groups(
    value: Expr, groups: Sequence[Group], sizes: Mapping[str, Expr]
) -> Expr:
    names: list[Group] = list(groups)
    for group in groups:
        if len(group) > 1:
            i = names.index(group)
            parts = TupleExpr(tuple(sizes.get(axis, lit(-1)) for axis in group))
            value = method(value, "unflatten", _index(names, i), parts)
            names[i : i + 1] = [(axis,) for axis in group]
    return value


def _squeeze(value: Expr, axes: Sequence[str]) -> Expr:
    ones = [_index(axes, i) for i, axis in enumerate(axes) if axis == _UNIT]
    if not ones:
        return value
    return method(value, "squeeze", ones[0] if len(ones) == 1 else tuple(ones))


def _reorder(value: Expr, before: Sequence[str], after: Sequence[str]) -> Expr:
    moved = [i for i, axis in enumerate(after) if before[i] != axis]
    if not moved:
        return value
    if len(moved) == 2 and ELLIPSIS not in (after[moved[0]], after[moved[1]]):
        return method(value, "transpose", *(_index(after, i) for i in moved))
    if ELLIPSIS not in before:
        return method(value, "permute", *(before.index(axis) for axis in after))
    named = [axis for axis in after if axis != ELLIPSIS]
    sources = tuple(_index(before, before.index(axis)) for axis in named)
    destinations = tuple(_index(after, after.index(axis)) for axis in named)
    return method(value, "movedim", sources, destinations)


def _merge_groups(value: Expr, groups: Sequence[Group]) -> Expr:
    """Flatten each group of several axes, then insert the dimensions of size 1."""
    names: list[object] = [axis for group in groups for axis in group]
    for group in groups:
        if len(group) > 1:
            start = names.index(group[0])
            end = start + len(group) - 1
            last = () if end == len(names) - 1 else (_index(names, end),)
            value = method(value, "flatten", _index(names, start), *last)
            names[start : end + 1] = [group]
    for i, group in enumerate(groups):
        if not group:
            names.insert(i, _UNIT)
            value = method(value, "unsqueeze", _index(names, i))
    return value
