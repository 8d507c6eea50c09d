"""The weights of attention."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def weigh_keys(
    query: Tensor,
    key: Tensor,
    attn_mask: Tensor | None = None,
    is_causal: bool = False,
    scale: float | None = None,
    softcap: float | None = None,
    sinks: Tensor | None = None,
    past: int = 0,
) -> Tensor:
    """Softmax over the keys of the scaled products of queries and keys.

    query: float[B, heads, T, E], key: float[B, kv_heads, S, E], sinks: float[heads],
    attn_mask: bool or float[B, heads, T, S] -> float[B, heads, T, S]

    If `is_causal`, query t attends to keys up to past + t. A query whose keys are all
    masked has weights of 0. With softcap, scores are softcap * tanh(scores / softcap)
    (Gemma 2, 2024). Sinks are scores of one more key per head, whose value is 0 (Xiao
    et al., "Efficient Streaming Language Models with Attention Sinks", 2023).
    """
    key = key.repeat_interleave(query.shape[1] // key.shape[1], dim=1)
    scores = query @ key.mT * (query.shape[-1] ** -0.5 if scale is None else scale)
    if softcap is not None:
        scores = torch.tanh(scores / softcap) * softcap
    if is_causal:
        attn_mask = scores.new_ones(scores.shape[-2:], dtype=torch.bool).tril(past)
    admitted = attn_mask
    if attn_mask is not None and attn_mask.dtype != torch.bool:
        admitted = attn_mask > float("-inf")
        scores = scores + attn_mask
    if admitted is not None:
        # not -inf, which gives NaN gradients where all keys are masked
        scores = scores.masked_fill(~admitted, torch.finfo(scores.dtype).min)
    if sinks is not None:
        sink = sinks[:, None, None].expand(*scores.shape[:-1], 1)
        scores = torch.cat([scores, sink], dim=-1)
    weights = F.softmax(scores, dim=-1)[..., : key.shape[2]]
    return weights if admitted is None else weights.masked_fill(~admitted, 0.0)
