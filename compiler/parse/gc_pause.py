"""Pauses Python's garbage collector, which finds nothing during a compilation."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def gc_paused() -> Iterator[None]:
    """Disable the garbage collector inside a `with` block or a decorated function.

    Tracing nodes, layers and types again and again takes a third of a compilation's time. A compilation creates hardly
    any reference cycles, so that it needs no more memory without the collector.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
