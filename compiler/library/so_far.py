"""A tensor of all positions so far, kept between the pieces of a sequence."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from compiler.library.step_state import StepState, select_rows


@dataclass
class SoFar(StepState):
    """A tensor of the positions so far, which follow one another along `dim`.

    Its dimension `batch` is the batch; None if it has none.
    """

    capacity: int | None = None
    dim: int = 1
    whole: Tensor | None = None
    batch: int | None = 0

    def extend(self, x: Tensor) -> Tensor:
        """Add new positions, [..., n, ...]; return all so far, [..., S, ...]."""
        self.reserve(x.shape[self.dim])
        if self.whole is not None:
            x = torch.cat((self.whole, x), self.dim)
        self.whole = x
        return x

    @property
    def grows(self) -> bool:
        return True

    @property
    def length(self) -> int:
        return 0 if self.whole is None else self.whole.shape[self.dim]

    def reserve(self, count: int) -> None:
        found = self.length + count
        if self.capacity is not None and found > self.capacity:
            message = (
                f"the state has room for {self.capacity} positions, not for {found}"
            )
            raise ValueError(message)

    def select(self, rows: Tensor) -> Self:
        whole = self.whole
        chosen = None if whole is None else select_rows(whole, rows, self.batch)
        return replace(self, whole=chosen)

    def check_rewind(self, count: int) -> None:
        if count > self.length:
            raise ValueError(f"the state holds {self.length} positions, not {count}")

    def rewind(self, count: int) -> None:
        self.check_rewind(count)
        if self.whole is not None:
            self.whole = self.whole.narrow(self.dim, 0, self.length - count)


def so_far(state: SoFar | None, x: Tensor) -> Tensor:
    """The tensor of all positions so far; without a state, the given one."""
    return x if state is None else state.extend(x)
