"""Keys and values of attention with a mask of its keys."""

from __future__ import annotations

from torch import Tensor

from compiler.library.key_values import KeyValues


def keep_masked(
    state: KeyValues | None, key: Tensor, value: Tensor, mask: Tensor | None
) -> tuple[Tensor, Tensor, Tensor | None]:
    """All keys, values and masks so far; keys and values are 0 where masked.

    key, value: float[B, n, D], mask: bool[B, n] -> float[B, S, D] twice, bool[B, S]
    """
    if mask is not None:  # NaN times a weight of 0 is NaN
        key, value = (x.masked_fill(~mask[..., None], 0.0) for x in (key, value))
    return (key, value, mask) if state is None else state.extend(key, value, mask)
