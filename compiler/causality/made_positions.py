"""Which runs of ops make positions: numbers of places along T, of no input's values."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.ir.causal import CallFlow
from compiler.op.dependence import Dependence, parts


def makes_positions(call: CallFlow) -> bool:
    """Whether an axis of an output carries the dimension without need of an input, and an input carries it."""
    given = any(one.carries for one in each_input(call))
    axes = (axis for one in call.outputs.values() for axis in one.axes)
    return given and any(not part.needs for axis in axes for part in parts(axis))


def each_input(call: CallFlow) -> Iterator[Dependence]:
    """What the inputs of a run depend on, those of a variadic port one by one."""
    for one in call.inputs.values():
        if isinstance(one, tuple):
            yield from one
        elif one is not None:
            yield one
