"""The largest or smallest element so far, kept between the pieces of a sequence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from compiler.library.step_state import StepState, select_rows


@dataclass
class RunningExtremum(StepState):
    """The last result, [..., 1, ...], and its index; None before the first piece.

    There were `length` elements before. Dimension `batch` is the batch; None if there
    is none.
    """

    last: Tensor | None = None
    index: Tensor | None = None
    length: int = 0
    batch: int | None = 0

    def select(self, rows: Tensor) -> Self:
        last, index = (
            None if x is None else select_rows(x, rows, self.batch)
            for x in (self.last, self.index)
        )
        return replace(self, last=last, index=index)

    def check_rewind(self, count: int) -> None:
        if count:
            raise ValueError("a running value has forgotten its earlier values")


def running_extremum(
    state: RunningExtremum | None,
    function: Callable[[Tensor, int], tuple[Tensor, Tensor]],
    x: Tensor,
    dim: int,
) -> tuple[Tensor, Tensor]:
    """What torch.cummax or torch.cummin gives for a piece: values and their indices."""
    if state is None:
        return function(x, dim)
    count = x.shape[dim]
    if state.last is None or state.index is None:
        values, indices = function(x, dim)
    else:
        found = function(torch.cat((state.last, x), dim), dim)
        values, indices = (one.narrow(dim, 1, count) for one in found)
        earlier = indices == 0
        indices = torch.where(earlier, state.index, indices + (state.length - 1))
    # clones, or the views would keep the memory of the whole piece
    state.last = values.narrow(dim, count - 1, 1).clone()
    state.index = indices.narrow(dim, count - 1, 1).clone()
    state.length += count
    return values, indices
