"""How one tensor of ours is made of published ones: every name filled in, every number known."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

Sizes = tuple[int, ...]


class Misfit(ValueError):
    """Tensors of these shapes cannot be put together so."""


@dataclass(frozen=True, slots=True)
class Take:
    """A published tensor as it is."""

    name: str


@dataclass(frozen=True, slots=True)
class Join:
    """Several tensors one behind another along a dimension, or along a new one (`stack`)."""

    how: Literal["concat", "stack"]
    parts: tuple[Making, ...]
    dim: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """Part `index` of `count` equal parts along a dimension."""

    of: Making
    index: int
    count: int
    dim: int


@dataclass(frozen=True, slots=True)
class Slice:
    """The places from `start` up to `stop` along a dimension."""

    of: Making
    start: int
    stop: int
    dim: int


@dataclass(frozen=True, slots=True)
class Transpose:
    """Two dimensions change places."""

    of: Making
    first: int
    second: int


@dataclass(frozen=True, slots=True)
class Reshape:
    """The same numbers in another shape; one size may be -1."""

    of: Making
    shape: Sizes


Making: TypeAlias = Take | Join | Chunk | Slice | Transpose | Reshape


def sources(making: Making) -> Iterator[str]:
    """The names of the published tensors that it takes."""
    if isinstance(making, Take):
        yield making.name
    elif isinstance(making, Join):
        for part in making.parts:
            yield from sources(part)
    else:
        yield from sources(making.of)


def renamed(making: Making, rename: Callable[[str], str]) -> Making:
    """The same of tensors by other names.

    >>> renamed(Chunk(Take("h.qkv"), 0, 3, 0), lambda name: f"model.{name}")
    Chunk(of=Take(name='model.h.qkv'), index=0, count=3, dim=0)
    """
    if isinstance(making, Take):
        return Take(rename(making.name))
    if isinstance(making, Join):
        parts = tuple(renamed(part, rename) for part in making.parts)
        return replace(making, parts=parts)
    return replace(making, of=renamed(making.of, rename))


def shape_of(making: Making, shapes: Mapping[str, Sizes]) -> Sizes:
    """The shape of what comes out, from those of the published tensors.

    Raises:
        Misfit: where they do not fit.
        KeyError: where one is not there.

    >>> shape_of(Chunk(Take("qkv"), 0, 3, 0), {"qkv": (12, 4)})
    (4, 4)
    """
    if isinstance(making, Take):
        return shapes[making.name]
    if isinstance(making, Join):
        return _joined(making, [shape_of(part, shapes) for part in making.parts])
    shape = shape_of(making.of, shapes)
    match making:
        case Chunk():
            axis = _axis(making.dim, shape)
            if shape[axis] % making.count:
                message = f"{shown(shape)} has no {making.count} equal parts"
                raise Misfit(f"{message} along dimension {axis}")
            return _with(shape, axis, shape[axis] // making.count)
        case Slice():
            axis = _axis(making.dim, shape)
            if making.stop > shape[axis]:
                raise Misfit(f"{shown(shape)} ends before {making.stop}")
            return _with(shape, axis, making.stop - making.start)
        case Transpose():
            axes = _axis(making.first, shape), _axis(making.second, shape)
            turned = dict(zip(axes, reversed(axes), strict=True))
            return tuple(shape[turned.get(k, k)] for k in range(len(shape)))
        case Reshape():
            return _reshaped(shape, making.shape)


def _joined(making: Join, shapes: list[Sizes]) -> Sizes:
    first = shapes[0]
    new = making.how == "stack"
    axis = _axis(making.dim, (*first, 0) if new else first)
    for shape in shapes[1:]:
        same = shape if new else shape[:axis] + shape[axis + 1 :]
        if len(shape) != len(first) or same != (
            first if new else first[:axis] + first[axis + 1 :]
        ):
            raise Misfit(f"{shown(shape)} does not go with {shown(first)}")
    if new:
        return (*first[:axis], len(shapes), *first[axis:])
    return _with(first, axis, sum(shape[axis] for shape in shapes))


def _reshaped(shape: Sizes, wanted: Sizes) -> Sizes:
    known = math.prod(size for size in wanted if size != -1)
    total = math.prod(shape)
    if wanted.count(-1) == 1 and known and total % known == 0:
        return tuple(total // known if size == -1 else size for size in wanted)
    if known != total or -1 in wanted:
        raise Misfit(f"{shown(shape)} does not become {shown(wanted)}")
    return wanted


def _axis(dim: int, shape: Sizes) -> int:
    if not -len(shape) <= dim < len(shape):
        raise Misfit(f"there is no dimension {dim} in a tensor of {shown(shape)}")
    return dim % len(shape)


def _with(shape: Sizes, axis: int, size: int) -> Sizes:
    return (*shape[:axis], size, *shape[axis + 1 :])


def shown(shape: Sizes) -> str:
    """A shape for a message: `[768, 2304]`."""
    return f"[{', '.join(map(str, shape))}]"
