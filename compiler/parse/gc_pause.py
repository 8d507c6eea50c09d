"""Pauses Python's garbage collector, which finds nothing during a compilation."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def gc_paused() -> Iterator[None]:
    """Disable the garbage collector inside a `with` block or a decorated function.

    Tracing nodes, layers and types again and again takes a third of a compilation's time. A compilation creates hardly
    any reference cycles, so that it needs no more memory without the collector. What it created belongs to the oldest
    generation afterwards: else the next collection traces all of it, which takes a fifth of the time.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            if not gc.get_freeze_count():  # a caller's frozen objects stay frozen
                gc.freeze()
                gc.unfreeze()
            gc.enable()
