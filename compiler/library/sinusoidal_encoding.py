"""Fixed sine and cosine position encoding."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class SinusoidalEncoding(nn.Module):
    """Sine and cosine position encoding along a dimension.

    x: [B, T, ...] -> float[T, embedding_dim]

    PE(t, 2i) = sin(t / base^(2i / D)), PE(t, 2i + 1) = cos(t / base^(2i / D)), where D
    is embedding_dim. The result has the dtype of x if that is floating, else torch's
    default. The first position is `offset`. Vaswani et al., "Attention Is All You
    Need", 2017, section 3.5.
    """

    def __init__(self, embedding_dim: int, base: float = 10000.0, dim: int = 1) -> None:
        super().__init__()
        self.embedding_dim = embedding_dim
        self.base = base
        self.dim = dim

    def forward(self, x: Tensor, offset: int = 0) -> Tensor:
        # half precision cannot represent all positions
        exact = torch.promote_types(x.dtype, torch.float32)
        end = offset + x.shape[self.dim]
        positions = torch.arange(offset, end, dtype=exact, device=x.device)
        even = torch.arange(0, self.embedding_dim, 2, dtype=exact, device=x.device)
        angles = positions[:, None] * self.base ** (-even / self.embedding_dim)
        waves = torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(-2)
        dtype = x.dtype if x.is_floating_point() else torch.get_default_dtype()
        return waves[:, : self.embedding_dim].to(dtype)

    def extra_repr(self) -> str:
        return f"{self.embedding_dim}, base={self.base}, dim={self.dim}"
