"""Rotary position embedding with the scaling of Llama 3.1."""

from __future__ import annotations

import math

from torch import Tensor

from compiler.library.rotary_embedding import RotaryEmbedding


class Llama3RotaryEmbedding(RotaryEmbedding):
    """RotaryEmbedding with low frequencies divided by `factor`.

    x: int[..., T] or float[..., T, D] -> cos, sin: float[T, dim]

    Frequencies with fewer than low_freq_factor rotations in the original context are
    divided by `factor`, those with more than high_freq_factor are kept, and those in
    between are interpolated. Grattafiori et al., "The Llama 3 Herd of Models", 2024.
    """

    def __init__(
        self,
        dim: int,
        base: float = 10000.0,
        factor: float = 1.0,
        original_max_position_embeddings: int = 1,
        low_freq_factor: float = 1.0,
        high_freq_factor: float = 4.0,
    ) -> None:
        super().__init__(dim, base)
        self.factor = factor
        self.original = original_max_position_embeddings
        self.low = low_freq_factor
        self.high = high_freq_factor

    def frequencies(self, positions: Tensor) -> Tensor:
        plain = super().frequencies(positions)
        turns = self.original * plain / (2 * math.pi)
        width = (self.high - self.low) or 0.001
        kept = ((turns - self.low) / width).clamp(0.0, 1.0)
        return plain * kept + plain / self.factor * (1.0 - kept)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, factor={self.factor}"
