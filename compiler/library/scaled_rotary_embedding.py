"""Rotary position embedding stretched to contexts longer than those of training."""

from __future__ import annotations

import math

from torch import Tensor

from compiler.library.rotary_embedding import RotaryEmbedding


class ScaledRotaryEmbedding(RotaryEmbedding):
    """RotaryEmbedding whose angles grow more slowly, by `factor` at most.

    x: int[..., T] or float[..., T, D] -> cos, sin: float[T, dim]

    "linear": all alike. "dynamic": slow waves more than fast ones, once T is beyond the
    original context, and the more the longer it is. "llama3": slow waves alone, between
    so and so many turns in the original context. "yarn": so too, and cos and sin grow
    by `attention_factor` (Peng et al., "YaRN", 2023).
    """

    def __init__(
        self,
        dim: int,
        base: float = 10000.0,
        scaling: str = "none",
        factor: float = 1.0,
        original_max_position_embeddings: int = 1,
        low_freq_factor: float = 1.0,
        high_freq_factor: float = 4.0,
        beta_fast: float = 32.0,
        beta_slow: float = 1.0,
        truncate: bool = True,
        attention_factor: float | None = None,
        mscale: float = 1.0,
        mscale_all_dim: float = 0.0,
    ) -> None:
        super().__init__(dim, base)
        self.scaling = scaling
        self.factor = factor
        self.original = original_max_position_embeddings
        self.low_freq_factor = low_freq_factor
        self.high_freq_factor = high_freq_factor
        self.beta_fast = beta_fast
        self.beta_slow = beta_slow
        self.truncate = truncate
        if attention_factor is None:
            grown = 0.1 * math.log(max(factor, 1.0)) if scaling == "yarn" else 0.0
            attention_factor = (mscale * grown + 1.0) / (mscale_all_dim * grown + 1.0)
        self.attention_factor = attention_factor

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        cos, sin = super().forward(x)
        return cos * self.attention_factor, sin * self.attention_factor

    def frequencies(self, positions: Tensor) -> Tensor:
        plain = super().frequencies(positions)
        if self.scaling == "linear":
            return plain / self.factor
        if self.scaling == "dynamic":
            longest = (positions[-1] + 1.0).clamp(min=self.original)
            stretch = self.factor * longest / self.original - (self.factor - 1.0)
            return plain / stretch ** (self.even(positions) / (self.dim - 2))
        if self.scaling == "llama3":
            turns = self.original * plain / (2 * math.pi)
            kept = _ramp(turns, self.low_freq_factor, self.high_freq_factor)
            return plain * kept + plain / self.factor * (1.0 - kept)
        if self.scaling == "yarn":
            slowed = _ramp(self.even(positions) / 2, *self.pairs())
            return plain * (1.0 - slowed) + plain / self.factor * slowed
        return plain

    def pairs(self) -> tuple[float, float]:
        """The pairs that turn beta_fast and beta_slow times in the original context."""
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
        return f"{super().extra_repr()}, scaling={self.scaling!r}, factor={self.factor}"


def _ramp(x: Tensor, low: float, high: float) -> Tensor:
    """From 0 at low to 1 at high."""
    width = high - low if high != low else 0.001
    return ((x - low) / width).clamp(0.0, 1.0)
