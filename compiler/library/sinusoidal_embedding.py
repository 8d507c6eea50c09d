"""Sines and cosines of given numbers."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class SinusoidalEmbedding(nn.Module):
    """Sines and cosines of numbers, at falling frequencies.

    x: [...] -> float[..., embedding_dim]

    The angle of pair i is scale * x / base^(i / (h - shift)), where h is half of
    embedding_dim. `order` says where the two of a pair are: "sin cos" has all sines
    first, "cos sin" all cosines, "pairs" each sine beside its cosine. The result has
    the dtype of x if that is floating, else torch's default. Ho et al., "Denoising
    Diffusion Probabilistic Models", 2020; Vaswani et al., "Attention Is All You Need",
    2017, section 3.5.
    """

    def __init__(
        self,
        embedding_dim: int,
        base: float = 10000.0,
        shift: float = 0.0,
        scale: float = 1.0,
        order: str = "sin cos",
    ) -> None:
        super().__init__()
        if embedding_dim % 2:
            raise ValueError(f"embedding_dim must be even, and is {embedding_dim}")
        self.embedding_dim = embedding_dim
        self.base = base
        self.shift = shift
        self.scale = scale
        self.order = order

    def forward(self, x: Tensor) -> Tensor:
        dtype = x.dtype if x.is_floating_point() else torch.get_default_dtype()
        # half precision cannot represent all numbers
        exact = torch.promote_types(dtype, torch.float32)
        half = self.embedding_dim // 2
        pairs = torch.arange(half, dtype=exact, device=x.device)
        frequencies = self.scale * self.base ** (-pairs / (half - self.shift))
        angles = x.to(exact).unsqueeze(-1) * frequencies
        sin, cos = angles.sin().to(dtype), angles.cos().to(dtype)
        if self.order == "pairs":
            return torch.stack([sin, cos], dim=-1).flatten(-2)
        return torch.cat([cos, sin] if self.order == "cos sin" else [sin, cos], dim=-1)

    def extra_repr(self) -> str:
        more = f"shift={self.shift}, scale={self.scale}, order={self.order!r}"
        return f"{self.embedding_dim}, base={self.base}, {more}"
