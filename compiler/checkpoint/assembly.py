"""How one tensor of the network is made from published tensors; all names and numbers are concrete."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Literal, TypeAlias

from compiler.dataclass import dataclass

Sizes = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Taken:
    """A published tensor as it is."""

    name: str


@dataclass(frozen=True, slots=True)
class Joined:
    """Several tensors concatenated along a dimension, or stacked along a new one."""

    how: Literal["concat", "stack"]
    parts: tuple[Assembly, ...]
    dim: int


@dataclass(frozen=True, slots=True)
class Chunked:
    """Part `index` of `count` equal parts along a dimension."""

    of: Assembly
    index: int
    count: int
    dim: int


@dataclass(frozen=True, slots=True)
class Sliced:
    """The positions from `start` up to `stop` along a dimension."""

    of: Assembly
    start: int
    stop: int
    dim: int


@dataclass(frozen=True, slots=True)
class Transposed:
    """Two dimensions are swapped."""

    of: Assembly
    first: int
    second: int


@dataclass(frozen=True, slots=True)
class Reshaped:
    """The same values in another shape; one size may be -1."""

    of: Assembly
    shape: Sizes


Assembly: TypeAlias = Taken | Joined | Chunked | Sliced | Transposed | Reshaped


def sources(assembly: Assembly) -> Iterator[str]:
    """The names of the published tensors that an assembly uses."""
    if isinstance(assembly, Taken):
        yield assembly.name
    elif isinstance(assembly, Joined):
        for part in assembly.parts:
            yield from sources(part)
    else:
        yield from sources(assembly.of)


def renamed(assembly: Assembly, rename: Callable[[str], str]) -> Assembly:
    """The assembly with the names of its tensors changed.

    >>> renamed(Chunked(Taken("h.qkv"), 0, 3, 0), lambda name: f"model.{name}")
    Chunked(of=Taken(name='model.h.qkv'), index=0, count=3, dim=0)
    """
    if isinstance(assembly, Taken):
        return Taken(rename(assembly.name))
    if isinstance(assembly, Joined):
        parts = tuple(renamed(part, rename) for part in assembly.parts)
        return replace(assembly, parts=parts)
    return replace(assembly, of=renamed(assembly.of, rename))


def shape_of(assembly: Assembly, shapes: Mapping[str, Sizes]) -> Sizes:
    """The shape of the result, from the shapes of the published tensors.

    Raises:
        ValueError: if the shapes do not fit.
        KeyError: if a tensor is missing.

    >>> shape_of(Chunked(Taken("qkv"), 0, 3, 0), {"qkv": (12, 4)})
    (4, 4)
    """
    if isinstance(assembly, Taken):
        return shapes[assembly.name]
    if isinstance(assembly, Joined):
        return _joined(assembly, [shape_of(part, shapes) for part in assembly.parts])
    shape = shape_of(assembly.of, shapes)
    match assembly:
        case Chunked():
            axis = _axis(assembly.dim, shape)
            if shape[axis] % assembly.count:
                message = f"{shown(shape)} has no {assembly.count} equal parts"
                raise ValueError(f"{message} along dimension {axis}")
            return _with(shape, axis, shape[axis] // assembly.count)
        case Sliced():
            axis = _axis(assembly.dim, shape)
            if assembly.stop > shape[axis]:
                raise ValueError(f"{shown(shape)} ends before {assembly.stop}")
            return _with(shape, axis, assembly.stop - assembly.start)
        case Transposed():
            axes = _axis(assembly.first, shape), _axis(assembly.second, shape)
            turned = dict(zip(axes, reversed(axes), strict=True))
            return tuple(shape[turned.get(k, k)] for k in range(len(shape)))
        case Reshaped():
            return _reshaped(shape, assembly.shape)


def _joined(assembly: Joined, shapes: list[Sizes]) -> Sizes:
    first = shapes[0]
    new = assembly.how == "stack"
    axis = _axis(assembly.dim, (*first, 0) if new else first)
    for shape in shapes[1:]:
        same = shape if new else shape[:axis] + shape[axis + 1 :]
        if len(shape) != len(first) or same != (
            first if new else first[:axis] + first[axis + 1 :]
        ):
            raise ValueError(f"{shown(shape)} does not go with {shown(first)}")
    if new:
        return (*first[:axis], len(shapes), *first[axis:])
    return _with(first, axis, sum(shape[axis] for shape in shapes))


def _reshaped(shape: Sizes, wanted: Sizes) -> Sizes:
    known = math.prod(size for size in wanted if size != -1)
    total = math.prod(shape)
    if wanted.count(-1) == 1 and known and total % known == 0:
        return tuple(total // known if size == -1 else size for size in wanted)
    if known != total or -1 in wanted:
        raise ValueError(f"{shown(shape)} does not become {shown(wanted)}")
    return wanted


def _axis(dim: int, shape: Sizes) -> int:
    if not -len(shape) <= dim < len(shape):
        raise ValueError(f"there is no dimension {dim} in a tensor of {shown(shape)}")
    return dim % len(shape)


def _with(shape: Sizes, axis: int, size: int) -> Sizes:
    return (*shape[:axis], size, *shape[axis + 1 :])


def shown(shape: Sizes) -> str:
    """A shape for a message: `[768, 2304]`."""
    return f"[{', '.join(map(str, shape))}]"
