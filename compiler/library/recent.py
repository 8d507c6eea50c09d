"""The last positions of a sequence, kept for the windows of the next piece."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor
from torch.nn import functional as F

from compiler.library.step_state import StepState, select_rows


@dataclass
class Recent(StepState):
    """The last positions of a sequence, oldest first; None before the first piece.

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
            raise ValueError("a window has forgotten earlier positions")


def pad_past(
    state: Recent | None, x: Tensor, count: int, dim: int, value: float = 0.0
) -> Tensor:
    """Put the `count` positions before this piece in front of x; `value` at the start.

    x: [..., n, ...] -> [..., count + n, ...]
    """
    if state is None or state.last is None:
        after = x.dim() - 1 - dim % x.dim()
        padded = F.pad(x, (*(0, 0) * after, count, 0), value=value)
    else:
        padded = torch.cat((state.last, x), dim)
    if state is not None:
        # a clone, or the view would keep the memory of the whole piece
        state.last = padded.narrow(dim, padded.shape[dim] - count, count).clone()
    return padded
