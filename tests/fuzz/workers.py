"""Work shared among processes, none of which is started for one."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

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
