"""Attention written out, for scores that torch's own does not have."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from compiler.library.weigh_keys import weigh_keys


def explicit_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    softcap: float | None = None,
    sinks: Tensor | None = None,
    past: int = 0,
) -> Tensor:
    """F.scaled_dot_product_attention with the weights of `weigh_keys`.

    query: float[B, heads, T, E], key: float[B, kv_heads, S, E],
    value: float[B, kv_heads, S, V] -> float[B, heads, T, V]
    """
    weights = weigh_keys(query, key, attn_mask, is_causal, scale, softcap, sinks, past)
    group = query.shape[1] // value.shape[1]
    value = value.repeat_interleave(group, dim=1) if group > 1 else value
    return F.dropout(weights, dropout_p) @ value
