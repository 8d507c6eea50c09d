"""Windows that an op's own padding begins before a sequence, between its pieces."""

from __future__ import annotations

from torch import Tensor

from compiler.library.recent import Recent, pad_past


def with_past(
    state: Recent | None, x: Tensor, count: int, dim: int, value: float = 0.0
) -> Tensor:
    """Put the `count` positions before this piece in front of x; `value` at the start.

    Without a state, x is the whole sequence, which the op pads itself.
    """
    return x if state is None else pad_past(state, x, count, dim, value)


def without_past(state: Recent | None, x: Tensor, count: int, dim: int) -> Tensor:
    """The windows of this piece, without those that begin in the op's own padding."""
    return x if state is None else x.narrow(dim, count, x.shape[dim] - count)
