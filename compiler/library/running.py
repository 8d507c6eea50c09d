"""Running sums and products, kept between the pieces of a sequence."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from compiler.library.step_state import StepState, select_rows


@dataclass
class Running(StepState):
    """The last result of a running op, [..., 1, ...]; None before the first piece.

    Its dimension `batch` is the batch; None if it has none.
    """

    last: Tensor | None = None
    batch: int | None = 0

    def select(self, rows: Tensor) -> Self:
        last = self.last
        chosen = None if last is None else select_rows(last, rows, self.batch)
        return replace(self, last=chosen)

    def check_rewind(self, count: int) -> None:
        if count:
            raise ValueError("a running value has forgotten its earlier values")


def with_last(state: Running | None, x: Tensor, dim: int) -> Tensor:
    """Put the last result in front of the next piece: an op goes on from it."""
    if state is None or state.last is None:
        return x
    return torch.cat((state.last, x), dim)


def without_last(state: Running | None, x: Tensor, dim: int) -> Tensor:
    """The results of a piece alone, of which the last is kept."""
    if state is None:
        return x
    if state.last is not None:
        x = x.narrow(dim, 1, x.shape[dim] - 1)
    # a clone, or the view would keep the memory of the whole piece
    state.last = x.narrow(dim, x.shape[dim] - 1, 1).clone()
    return x
