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
    """As F.scaled_dot_product_attention, with the weights of `weigh_keys`.

    value: float[B, kv_heads, S, V] -> float[B, heads, T, V]
    """
    weights = weigh_keys(query, key, attn_mask, is_causal, scale, softcap, sinks, past)
    value = value.repeat_interleave(query.shape[1] // value.shape[1], dim=1)
    return F.dropout(weights, dropout_p) @ value
