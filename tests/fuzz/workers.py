"""Work shared among processes, none of which is started for one."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from tests.fuzz.judge import Outcome, judge
from tests.fuzz.specs import spec_of, text_of

Item = TypeVar("Item")
Found = TypeVar("Found")


def each(
    function: Callable[[Item], Found], items: Iterable[Item], processes: int
) -> Iterator[Found]:
    """What a function gives for each item, in their order."""
    if processes == 1:
        yield from map(function, items)
        return
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        yield from pool.imap(function, items, chunksize=4)


def judge_seed(seed: int) -> tuple[int, Outcome]:
    """What comes of the spec of a seed; at home in a module that other processes can import."""
    return seed, judge(text_of(spec_of(seed)))
