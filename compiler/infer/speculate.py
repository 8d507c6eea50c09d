"""What other values of the params would run: layers that are off, and further copies.

A class is to hold for the values that its constructor takes, not only for those that it
was compiled with. So a layer that is switched off, and the copies that come after the
last one, are inferred too; what is wrong with these does not count.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from compiler.diagnostics.diagnostic import Report
from compiler.infer.copy_course import COPIES, FARTHEST, first_departure
from compiler.infer.engine import Engine
from compiler.infer.error_sink import ErrorSink
from compiler.infer.instances import InstanceBuilder
from compiler.infer.layer_conditions import LayerConditions
from compiler.infer.repeats import chain, copies_are_equal, equal_by_floats
from compiler.infer.resolved_layer import ResolvedLayer
from compiler.ir.typed import LayerCall, Types
from compiler.op.context import Context
from compiler.symbolic.tensor import TensorType

INSTANCES, RUNS = 100, 1_000
"""What one speculation may cost; a block that has no end with other values would go on."""
ALL_RUNS = 20_000
"""What all speculation of a spec may cost; further ones are left out."""


def further_runs(
    engine: Engine,
    instance: InstanceBuilder,
    conditions: LayerConditions,
    layer: ResolvedLayer,
    types: Types,
    calls: tuple[LayerCall, ...],
) -> tuple[dict[str, Any], Iterable[int | None]] | None:
    """The runs of a layer that would come next, or at all, with other values of the params: on which types, and which.

    None where there is none, or none that would be another one.
    """
    if not _has_further(engine, layer, calls):
        return None
    if not calls and conditions.is_settled(layer.node):
        return None
    given = dict(types)
    if calls:
        given = chain(layer.node.layer, calls[-1].outputs, calls[-1].inputs)
    if (
        calls
        and not layer.counted
        and copies_are_equal(calls[-1].inputs, given, instance.context)
        and not equal_by_floats(calls[-1].inputs, given, instance.names)
    ):
        return None
    if not layer.repeated:
        return given, [None]
    first = sum(call.count for call in calls)
    return given, range(first, _most_copies(layer, instance, first))


def _has_further(
    engine: Engine, layer: ResolvedLayer, calls: tuple[LayerCall, ...]
) -> bool:
    """Whether anybody asks what other values would run, and they could run more of this layer."""
    if not engine.speculates or engine.learned is not None:
        return False
    if layer.node.layer.scan is not None:
        return False
    if engine.speculated > ALL_RUNS:
        return False
    if (calls and not layer.repeated) or (layer.repeated and layer.group):
        return False
    return not layer.each  # a list has no more items


def _most_copies(layer: ResolvedLayer, instance: InstanceBuilder, seen: int) -> int:
    """How many copies show how the sizes of all go on: up to one after the first that is not as those before it."""
    if not layer.counted:
        return COPIES
    copy = first_departure(layer.arguments, instance.names, seen)
    return COPIES if copy is None or copy > FARTHEST else copy + 2


@contextmanager
def speculating(engine: Engine) -> Iterator[None]:
    """Inference that leaves no trace: neither mistakes nor instances, and at its own costs."""
    saved = engine.report, engine.errors, engine.learned
    costs = engine.count, engine.runs, engine.limits
    engine.report, engine.errors, engine.learned = Report(), ErrorSink(), []
    engine.count = engine.runs = 0
    engine.limits = replace(engine.limits, instances=INSTANCES, runs=RUNS)
    try:
        yield
    finally:
        for key in engine.learned or ():
            engine.forget(key)
        engine.speculated += engine.runs
        engine.report, engine.errors, engine.learned = saved
        engine.count, engine.runs, engine.limits = costs


@contextmanager
def quietly(engine: Engine) -> Iterator[None]:
    """Inference that leaves no trace, of what counts all the same."""
    saved = engine.report, engine.errors, engine.learned
    engine.report, engine.errors, engine.learned = Report(), ErrorSink(), []
    try:
        yield
    finally:
        for key in engine.learned or ():
            engine.forget(key)
        engine.report, engine.errors, engine.learned = saved


def named_as(
    speculative: tuple[LayerCall, ...], passed: TensorType, context: Context
) -> TensorType:
    """The type that a layer passes on while it is off, in the names it has while on.

    Where both are equal the name that the layer gives holds in either case.
    """
    if not speculative:
        return passed
    shown = next(iter(speculative[-1].outputs.values()))
    value = context.value
    if shown.rank != passed.rank or shown.kind != passed.kind:
        return passed
    pairs = zip(shown.shape, passed.shape, strict=True)
    return passed.with_shape(*(a if value(a) == value(b) else b for a, b in pairs))
