"""Work shared among processes, none of which is started for one."""

from __future__ import annotations

import gc
import multiprocessing
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TypeVar

from compiler.parse.gc_pause import gc_paused
from runtime.load import BUILT
from tests.fuzz.judge import Outcome, effort_of, judge
from tests.fuzz.specs import spec_of, text_of

Item = TypeVar("Item")
Found = TypeVar("Found")

COLLECTED = 25
"""After so many items the garbage is collected: each time costs as much as half a small spec."""


def each(
    function: Callable[[Item], Found], items: Iterable[Item], processes: int
) -> Iterator[Found]:
    """What a function gives for each item, in their order."""
    run = partial(_run, function)
    if processes == 1:
        with gc_paused():
            yield from map(run, enumerate(items))
        return
    with multiprocessing.get_context("spawn").Pool(processes, gc.disable) as pool:
        yield from pool.imap(run, enumerate(items), chunksize=4)


def _run(function: Callable[[Item], Found], numbered: tuple[int, Item]) -> Found:
    number, item = numbered
    if number % COLLECTED == COLLECTED - 1:
        _forget()
    return function(item)


def _forget() -> None:
    """Drop the modules that were built, collect the garbage, and look at what is left no more: it only grows."""
    for name in [name for name in sys.modules if name.startswith(BUILT)]:
        del sys.modules[name]
    gc.collect()
    gc.freeze()


def judge_seed(seed: int) -> tuple[int, Outcome]:
    """What comes of the spec of a seed; at home in a module that other processes can import."""
    return seed, judge(text_of(spec_of(seed)), effort=effort_of(seed))
