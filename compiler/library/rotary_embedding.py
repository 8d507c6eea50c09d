"""The cosines and sines of rotary position embedding."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class RotaryEmbedding(nn.Module):
    """Cosine and sine of the angle of each channel pair at each position.

    x: int[..., T] or float[..., T, D] -> cos, sin: float[T, dim]

    The angle of pair i at position t is t / base^(2 i / dim), stored at channels i and
    i + dim // 2. Angles are computed in float32, as in published models; the results
    have the dtype of x if that is floating, else torch's default. The first position is
    `offset`. Su et al., "RoFormer", 2021.
    """

    def __init__(self, dim: int, base: float = 10000.0) -> None:
        super().__init__()
        if dim % 2:
            raise ValueError(f"dim must be even, and is {dim}")
        self.dim = dim
        self.base = base

    def forward(self, x: Tensor, offset: int = 0) -> tuple[Tensor, Tensor]:
        dtype = x.dtype if x.is_floating_point() else torch.get_default_dtype()
        cos, sin = self.waves(x, offset)
        return cos.to(dtype), sin.to(dtype)

    def waves(self, x: Tensor, offset: int) -> tuple[Tensor, Tensor]:
        """Return cosine and sine of the angles in float32."""
        end = offset + x.shape[-2 if x.is_floating_point() else -1]
        positions = torch.arange(offset, end, dtype=torch.float32, device=x.device)
        angles = positions[:, None] * self.frequencies(positions)
        angles = torch.cat((angles, angles), dim=-1)
        return angles.cos(), angles.sin()

    def frequencies(self, positions: Tensor) -> Tensor:
        """Return float[dim // 2], in radians per position."""
        return 1.0 / self.base ** (self.even(positions) / self.dim)

    def even(self, like: Tensor) -> Tensor:
        """Return 0, 2, 4, ... below dim."""
        return torch.arange(0, self.dim, 2, dtype=like.dtype, device=like.device)

    def extra_repr(self) -> str:
        return f"{self.dim}, base={self.base}"
