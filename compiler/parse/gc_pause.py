"""Python's garbage collector, put off while there is nothing for it to find."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def gc_paused() -> Iterator[None]:
    """Nodes, layers and types are no garbage: tracing them again and again takes a third of the time.

    A compilation makes hardly any cycles, so it needs no more memory without the collector.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
