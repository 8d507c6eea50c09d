"""Attention with soft-capped scores."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def capped_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    softcap: float,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    past: int = 0,
) -> Tensor:
    """F.scaled_dot_product_attention with scores softcap * tanh(scores / softcap).

    query: float[B, heads, T, E], key: float[B, kv_heads, S, E],
    value: float[B, kv_heads, S, V], attn_mask: bool or float[B, heads, T, S]
    -> float[B, heads, T, V]

    If `is_causal`, query t attends to keys up to past + t. A query whose keys are all
    masked gives zeros. Gemma 2, 2024.
    """
    group = query.shape[1] // key.shape[1]
    if group > 1:
        key, value = (x.repeat_interleave(group, dim=1) for x in (key, value))
    scale = query.shape[-1] ** -0.5 if scale is None else scale
    scores = query @ key.transpose(-2, -1) * scale
    scores = torch.tanh(scores / softcap) * softcap
    if is_causal:
        attn_mask = scores.new_ones(scores.shape[-2:], dtype=torch.bool).tril(past)
    if attn_mask is None:
        weights = F.softmax(scores, dim=-1)
    else:
        admitted = attn_mask
        if attn_mask.dtype != torch.bool:
            admitted = attn_mask > float("-inf")
            scores = scores + attn_mask
        # not -inf, which gives NaN gradients where all keys are masked
        scores = scores.masked_fill(~admitted, torch.finfo(scores.dtype).min)
        weights = F.softmax(scores, dim=-1).masked_fill(~admitted, 0.0)
    return F.dropout(weights, dropout_p) @ value
