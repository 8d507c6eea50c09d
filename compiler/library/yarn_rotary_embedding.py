"""Rotary position embedding with YaRN scaling."""

from __future__ import annotations

import math

from torch import Tensor

from compiler.library.rotary_embedding import RotaryEmbedding


class YarnRotaryEmbedding(RotaryEmbedding):
    """RotaryEmbedding with low frequencies divided by `factor`, and scaled cos and sin.

    x: int[..., T] or float[..., T, D] -> cos, sin: float[T, dim]

    Frequencies with fewer than beta_slow rotations in the original context are divided
    by `factor`, those with more than beta_fast are kept, and those in between are
    interpolated. cos and sin are multiplied by attention_factor. Peng et al., "YaRN",
    2023.
    """

    def __init__(
        self,
        dim: int,
        base: float = 10000.0,
        factor: float = 1.0,
        original_max_position_embeddings: int = 1,
        beta_fast: float = 32.0,
        beta_slow: float = 1.0,
        truncate: bool = True,
        attention_factor: float | None = None,
        mscale: float = 1.0,
        mscale_all_dim: float = 0.0,
    ) -> None:
        super().__init__(dim, base)
        self.factor = factor
        self.original = original_max_position_embeddings
        self.beta_fast = beta_fast
        self.beta_slow = beta_slow
        self.truncate = truncate
        if attention_factor is None:
            grown = 0.1 * math.log(max(factor, 1.0))
            attention_factor = (mscale * grown + 1.0) / (mscale_all_dim * grown + 1.0)
        self.attention_factor = attention_factor

    def waves(self, x: Tensor, offset: int) -> tuple[Tensor, Tensor]:
        cos, sin = super().waves(x, offset)
        return cos * self.attention_factor, sin * self.attention_factor

    def frequencies(self, positions: Tensor) -> Tensor:
        plain = super().frequencies(positions)
        first, last = self.pairs()
        width = (last - first) or 0.001
        slowed = ((self.even(positions) / 2 - first) / width).clamp(0.0, 1.0)
        return plain * (1.0 - slowed) + plain / self.factor * slowed

    def pairs(self) -> tuple[float, float]:
        """Pairs that rotate beta_fast and beta_slow times in the original context."""
        low, high = (
            self.dim
            * math.log(self.original / (beta * 2 * math.pi))
            / (2 * math.log(self.base))
            for beta in (self.beta_fast, self.beta_slow)
        )
        if self.truncate:
            low, high = math.floor(low), math.ceil(high)
        return max(low, 0), min(high, self.dim - 1)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, factor={self.factor}"
