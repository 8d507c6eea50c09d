"""What other values of the params would run: layers that are off, and further copies.

A class is to hold for the values that its constructor takes, not only for those that it
was compiled with. So a layer that is switched off, and the copies that come after the
last one, are inferred too; what is wrong with these does not count.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from compiler.diagnostics.diagnostic import Report
from compiler.infer.engine import Engine
from compiler.infer.error_sink import ErrorSink
from compiler.ir.typed import LayerCall
from compiler.op.context import Context
from compiler.symbolic.tensor import TensorType

INSTANCES, RUNS = 100, 1_000
"""What one speculation may cost; a block that has no end with other values would go on."""
ALL_RUNS = 20_000
"""What all speculation of a spec may cost; further ones are left out."""


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
