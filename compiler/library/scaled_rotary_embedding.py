"""Rotary position embedding with a scaling chosen by name."""

from __future__ import annotations

from compiler.library.dynamic_rotary_embedding import DynamicRotaryEmbedding
from compiler.library.linear_rotary_embedding import LinearRotaryEmbedding
from compiler.library.llama3_rotary_embedding import Llama3RotaryEmbedding
from compiler.library.rotary_embedding import RotaryEmbedding
from compiler.library.yarn_rotary_embedding import YarnRotaryEmbedding


def scaled_rotary_embedding(
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
) -> RotaryEmbedding:
    """Build the rotary embedding of a scaling.

    `scaling` is "none", "linear", "dynamic", "llama3" or "yarn"; arguments that it does
    not use are ignored.
    """
    original = original_max_position_embeddings
    if scaling == "linear":
        return LinearRotaryEmbedding(dim, base, factor)
    if scaling == "dynamic":
        return DynamicRotaryEmbedding(dim, base, factor, original)
    if scaling == "llama3":
        turns = low_freq_factor, high_freq_factor
        return Llama3RotaryEmbedding(dim, base, factor, original, *turns)
    if scaling == "yarn":
        grown = attention_factor, mscale, mscale_all_dim
        span = beta_fast, beta_slow, truncate
        return YarnRotaryEmbedding(dim, base, factor, original, *span, *grown)
    return RotaryEmbedding(dim, base)
