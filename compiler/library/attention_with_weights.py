"""Attention that gives its weights as well."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from compiler.library.weigh_keys import weigh_keys


def attention_with_weights(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    softcap: float | None = None,
    sinks: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Attention of joined heads, and its weights, without dropout.

    query: float[B, heads, T, E], key: float[B, kv_heads, S, E],
    value: float[B, kv_heads, S, V]
    -> output: float[B, T, heads * V], weights: float[B, heads, T, S]
    """
    weights = weigh_keys(query, key, attn_mask, is_causal, scale, softcap, sinks)
    value = value.repeat_interleave(query.shape[1] // value.shape[1], dim=1)
    output = F.dropout(weights, dropout_p) @ value
    return output.transpose(1, 2).flatten(-2), weights
