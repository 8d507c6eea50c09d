"""Keys and values of attention, kept between the pieces of a sequence."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from compiler.library.step_state import StepState


@dataclass
class KeyValues(StepState):
    """The keys and values of the positions so far, float[B, S, D] each.

    Buffers for `capacity` positions are filled in place; without a capacity, they
    double when they are full. Where gradients are needed, and in exported programs,
    keys and values are concatenated instead. With a `window`, only the last window - 1
    positions are kept, which is what the next query attends to beside itself.
    """

    capacity: int | None = None
    window: int | None = None
    key: Tensor | None = None
    value: Tensor | None = None
    length: int = 0

    def extend(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Add those of new positions, [B, n, D]; return all attended to, [B, S, D]."""
        self.reserve(key.shape[1])
        if self.window is not None:
            return self._slide(key, value, self.window - 1)
        if key.requires_grad or value.requires_grad or torch.compiler.is_exporting():
            return self._concatenate(key, value)
        start, self.length = self.length, self.length + key.shape[1]
        self.key = _written(self.key, key, start, self.capacity)
        self.value = _written(self.value, value, start, self.capacity)
        return self.key[:, : self.length], self.value[:, : self.length]

    @property
    def grows(self) -> bool:
        return self.window is None

    def reserve(self, count: int) -> None:
        full = self.capacity is not None and self.length + count > self.capacity
        if full and self.window is None:
            found = self.length + count
            message = (
                f"the state has room for {self.capacity} positions, not for {found}"
            )
            raise ValueError(message)

    def select(self, rows: Tensor) -> Self:
        return replace(
            self,
            key=_selected(self.key, rows, self.length),
            value=_selected(self.value, rows, self.length),
        )

    def check_rewind(self, count: int) -> None:
        if self.window is not None and count:
            raise ValueError("attention with a window has forgotten earlier keys")
        if count > self.length:
            raise ValueError(f"the state holds {self.length} positions, not {count}")

    def rewind(self, count: int) -> None:
        self.check_rewind(count)
        self.length -= count

    def _concatenate(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        if self.key is not None and self.value is not None:
            key = torch.cat((self.key[:, : self.length], key), 1)
            value = torch.cat((self.value[:, : self.length], value), 1)
        self.key, self.value, self.length = key, value, key.shape[1]
        return key, value

    def _slide(self, key: Tensor, value: Tensor, kept: int) -> tuple[Tensor, Tensor]:
        if self.key is not None and self.value is not None:
            key = torch.cat((self.key, key), 1)
            value = torch.cat((self.value, value), 1)
        self.length = min(key.shape[1], kept)
        first = key.shape[1] - self.length
        # clones, or the views would keep the memory of all positions
        self.key = key.narrow(1, first, self.length).clone()
        self.value = value.narrow(1, first, self.length).clone()
        return key, value


def keep(state: KeyValues | None, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
    """All keys and values so far, [B, S, D]; without a state, those given."""
    return (key, value) if state is None else state.extend(key, value)


def _written(
    buffer: Tensor | None, new: Tensor, start: int, capacity: int | None
) -> Tensor:
    """The buffer, larger if need be, with new positions [B, n, D] from `start` on."""
    end = start + new.shape[1]
    if buffer is None or buffer.shape[1] < end:
        grown = new.new_zeros(new.shape[0], capacity or max(2 * end, 64), new.shape[2])
        if buffer is not None:
            grown[:, :start] = buffer[:, :start]
        buffer = grown
    buffer[:, start:end] = new
    return buffer


def _selected(buffer: Tensor | None, rows: Tensor, length: int) -> Tensor | None:
    """A buffer with the first positions of some rows; one of the same capacity."""
    if buffer is None or buffer.requires_grad or torch.compiler.is_exporting():
        return None if buffer is None else buffer.index_select(0, rows)
    chosen = buffer.new_empty(len(rows), *buffer.shape[1:])
    torch.index_select(buffer[:, :length], 0, rows, out=chosen[:, :length])
    return chosen
