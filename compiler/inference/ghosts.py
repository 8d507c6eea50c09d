"""What other values of the params would run: layers that are off, and further copies.

A class is to hold for the values that its constructor takes, not only for those that it
was compiled with. So a layer that is switched off, and the copies that come after the
last one, are inferred too; what is wrong with these does not count.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from compiler.diagnostics import Report
from compiler.inference.findings import Findings
from compiler.tensor import TensorType
from compiler.typed import Call

if TYPE_CHECKING:
    from compiler.inference.engine import Engine
    from compiler.inference.scopes import ScopeInference

COPIES = 4
"""How many copies show by what rule their sizes grow."""


@contextmanager
def rehearsing(engine: Engine) -> Iterator[None]:
    """Inference that leaves no trace: neither mistakes, nor instances, nor costs."""
    saved = engine.report, engine.findings, engine.count, engine.learned
    engine.report, engine.findings, engine.learned = Report(), Findings(), []
    try:
        yield
    finally:
        for key in engine.learned or ():
            engine.forget(key)
        engine.report, engine.findings, engine.count, engine.learned = saved


def named_as(
    ghosts: tuple[Call, ...], passed: TensorType, scope: ScopeInference
) -> TensorType:
    """The type that a layer passes on while it is off, in the names it has while on.

    Where both are equal the name that the layer gives holds in either case.
    """
    if not ghosts:
        return passed
    shown = next(iter(ghosts[-1].outputs.values()))
    value = scope.context.value
    if shown.rank != passed.rank or shown.kind != passed.kind:
        return passed
    pairs = zip(shown.shape, passed.shape, strict=True)
    return passed.with_shape(*(a if value(a) == value(b) else b for a, b in pairs))
