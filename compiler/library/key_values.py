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
    keys and values are concatenated instead. With a `window`, only that many positions
    are kept: a new one takes the place of the oldest, or moves the others up if they
    must stay `in_order`. `mask`, bool[B, S], is that of the keys, once one is given.
    """

    capacity: int | None = None
    window: int | None = None
    in_order: bool = False
    key: Tensor | None = None
    value: Tensor | None = None
    mask: Tensor | None = None
    length: int = 0

    def extend(
        self, key: Tensor, value: Tensor, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Add those of new positions, [B, n, D]; return all attended to, [B, S, D].

        Without a mask, new positions are attended to, as earlier ones are.
        """
        count, room = key.shape[1], self.room
        self.reserve(count)
        mask = self._mask_of(key, mask)
        start, end = self.length, self.length + count
        fits = room is None or end <= room or (count == 1 and not self.in_order)
        if fits and not self._must_stay(key, value):
            whole = self.capacity is not None
            self.key, key = _written(self.key, key, start, room, whole)
            self.value, value = _written(self.value, value, start, room, whole)
            if mask is not None:
                self.mask, mask = _written(self.mask, mask, start, room, whole)
            self.length = end
            return key, value, mask
        self.key, key = _joined(self.key, key, start, self.window)
        self.value, value = _joined(self.value, value, start, self.window)
        if mask is not None:
            self.mask, mask = _joined(self.mask, mask, start, self.window)
        self.length = self.key.shape[1]
        return key, value, mask

    @property
    def room(self) -> int | None:
        """The largest number of positions that are kept; None if there is no limit."""
        if self.window is None or self.capacity is None:
            return self.window or self.capacity
        return min(self.window, self.capacity)

    @property
    def grows(self) -> bool:
        return self.window is None

    def reserve(self, count: int) -> None:
        capacity, found = self.capacity, self.length + count
        if capacity is None or found <= capacity:
            return
        if self.window is None or self.window > capacity:
            message = f"the state has room for {capacity} positions, not for {found}"
            raise ValueError(message)

    def select(self, rows: Tensor) -> Self:
        return replace(
            self,
            key=_selected(self.key, rows, self.length),
            value=_selected(self.value, rows, self.length),
            mask=_selected(self.mask, rows, self.length),
        )

    def check_rewind(self, count: int) -> None:
        if self.window is not None and count:
            raise ValueError("attention with a window has forgotten earlier keys")
        if count > self.length:
            raise ValueError(f"the state holds {self.length} positions, not {count}")

    def rewind(self, count: int) -> None:
        self.check_rewind(count)
        self.length -= count

    def _must_stay(self, key: Tensor, value: Tensor) -> bool:
        """Whether no tensor may be written in place."""
        needed = key.requires_grad or value.requires_grad
        if not needed and self.key is not None and self.value is not None:
            needed = self.key.requires_grad or self.value.requires_grad
        return needed or torch.compiler.is_exporting()

    def _mask_of(self, key: Tensor, mask: Tensor | None) -> Tensor | None:
        """The mask of new keys, if those of earlier ones or of these are given."""
        if self.mask is None and mask is not None and self.key is not None:
            self.mask = mask.new_ones(self.key.shape[:2])
        if self.mask is not None and mask is None:
            mask = self.mask.new_ones(key.shape[:2])
        return mask


def keep(state: KeyValues | None, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
    """All keys and values so far, [B, S, D]; without a state, those given."""
    return (key, value) if state is None else state.extend(key, value)[:2]


def _written(
    buffer: Tensor | None, new: Tensor, start: int, room: int | None, whole: bool
) -> tuple[Tensor, Tensor]:
    """The buffer with new positions [B, n, ...] from `start` on; all that it holds.

    It is made larger if need be, or at once for all of the `room` if `whole`. Where
    there is no more room, one position replaces the oldest.
    """
    end = held = start + new.shape[1]
    if room is not None and end > room:
        start, held = start % room, room
        end = start + 1
    if buffer is None or buffer.shape[1] < end:
        size = max(2 * end, 64)
        size = size if room is None else room if whole else min(size, room)
        grown = new.new_zeros(new.shape[0], size, *new.shape[2:])
        if buffer is not None:
            grown[:, :start] = buffer[:, :start]
        buffer = grown
    buffer[:, start:end] = new
    return buffer, buffer[:, :held]


def _joined(
    buffer: Tensor | None, new: Tensor, length: int, window: int | None
) -> tuple[Tensor, Tensor]:
    """What is kept, and all positions attended to, oldest first, as new tensors."""
    if buffer is not None:
        new = torch.cat((_oldest_first(buffer, length, window), new), 1)
    if window is None or new.shape[1] <= window:
        return new, new
    # a clone, or the view would keep the memory of all positions
    return new.narrow(1, new.shape[1] - window, window).clone(), new


def _oldest_first(buffer: Tensor, length: int, window: int | None) -> Tensor:
    """The positions that a new one attends to, oldest first."""
    size = buffer.shape[1]
    if length > size:
        buffer = buffer.roll(-(length % size), 1)
    held = min(length, size)
    kept = held if window is None else min(held, window - 1)
    return buffer.narrow(1, held - kept, kept)


def _selected(buffer: Tensor | None, rows: Tensor, length: int) -> Tensor | None:
    """A buffer with the first positions of some rows; one of the same capacity."""
    if buffer is None or buffer.requires_grad or torch.compiler.is_exporting():
        return None if buffer is None else buffer.index_select(0, rows)
    chosen = buffer.new_empty(len(rows), *buffer.shape[1:])
    torch.index_select(buffer[:, :length], 0, rows, out=chosen[:, :length])
    return chosen
