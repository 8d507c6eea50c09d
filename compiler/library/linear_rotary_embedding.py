"""Rotary position embedding with linear scaling (position interpolation)."""

from __future__ import annotations

from torch import Tensor

from compiler.library.rotary_embedding import RotaryEmbedding


class LinearRotaryEmbedding(RotaryEmbedding):
    """RotaryEmbedding with all angles divided by `factor`, for longer contexts.

    x: int[..., T] or float[..., T, D] -> cos, sin: float[T, dim]

    Chen et al., "Extending Context Window of Large Language Models via Positional
    Interpolation", 2023.
    """

    def __init__(self, dim: int, base: float = 10000.0, factor: float = 1.0) -> None:
        super().__init__(dim, base)
        self.factor = factor

    def frequencies(self, positions: Tensor) -> Tensor:
        return super().frequencies(positions) / self.factor

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, factor={self.factor}"
