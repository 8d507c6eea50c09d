"""Rotary position embedding with dynamic NTK scaling."""

from __future__ import annotations

from torch import Tensor

from compiler.library.rotary_embedding import RotaryEmbedding


class DynamicRotaryEmbedding(RotaryEmbedding):
    """RotaryEmbedding whose frequencies fall once T exceeds the original context.

    x: int[..., T] or float[..., T, D] -> cos, sin: float[T, dim]

    The longer T, the lower the frequencies, and low frequencies fall more than high
    ones. This is transformers' "dynamic" scaling (NTK-aware, by bloc97 and emozilla).
    """

    def __init__(
        self,
        dim: int,
        base: float = 10000.0,
        factor: float = 1.0,
        original_max_position_embeddings: int = 1,
    ) -> None:
        super().__init__(dim, base)
        self.factor = factor
        self.original = original_max_position_embeddings

    def frequencies(self, positions: Tensor) -> Tensor:
        longest = (positions[-1] + 1.0).clamp(min=self.original)
        stretch = self.factor * longest / self.original - (self.factor - 1.0)
        slowed = stretch ** (self.even(positions) / (self.dim - 2))
        return super().frequencies(positions) / slowed

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, factor={self.factor}"
