"""Rotation of channel pairs by rotary position embedding."""

from __future__ import annotations

import torch
from torch import Tensor


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotate each pair of channels of every head by the angle of its position.

    x: float[B, T, heads * R] or float[B, T, heads, R], cos, sin: float[T, R]
    -> same shape and dtype as x

    Channel i is paired with channel i + R // 2. Su et al., "RoFormer", 2021.
    """
    heads = x.reshape(*x.shape[:2], -1, cos.shape[-1])
    first, second = heads.chunk(2, dim=-1)
    turned = torch.cat((-second, first), dim=-1)
    rotated = heads * cos.unsqueeze(-2) + turned * sin.unsqueeze(-2)
    return rotated.reshape(x.shape).type_as(x)
