"""Rotation of neighbouring channels by rotary position embedding."""

from __future__ import annotations

import torch
from torch import Tensor


def rotate_interleaved(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotate each pair of channels of every head by the angle of its position.

    x: float[B, T, heads * R] or float[B, T, heads, R], cos, sin: float[T, R]
    -> same shape and dtype as x

    Channel 2 i is paired with channel 2 i + 1. Only the first half of cos and sin is
    used, as the second is equal. Su et al., "RoFormer", 2021.
    """
    pairs = x.reshape(*x.shape[:2], -1, cos.shape[-1] // 2, 2)
    first, second = pairs.unbind(-1)
    cos, sin = (half.chunk(2, dim=-1)[0].unsqueeze(-2) for half in (cos, sin))
    turned = (first * cos - second * sin, second * cos + first * sin)
    return torch.stack(turned, dim=-1).reshape(x.shape).type_as(x)
