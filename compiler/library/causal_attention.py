"""Causal attention of the last positions of a sequence."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def causal_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    window: int | None = None,
    is_causal: bool = True,
    dropout_p: float = 0.0,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """Scaled dot-product attention of the last T of S positions.

    query: float[B, heads, T, E], key: float[B, kv_heads, S, E],
    value: float[B, kv_heads, S, V], attn_mask: bool, broadcasts to [B, heads, T, S]
    -> float[B, heads, T, V]

    A position attends to itself and earlier ones, or to all unless `is_causal`. With a
    window, it attends to that many, itself included.
    """
    rows, columns = query.shape[-2], key.shape[-2]
    plain = bool(rows == columns) and attn_mask is None and window is None
    mask = None
    # exported for every number of rows; one alone attends to all keys that are kept
    if is_causal and not plain and (torch.compiler.is_exporting() or rows > 1):
        past = columns - rows
        mask = query.new_ones(rows, columns, dtype=torch.bool).tril(past)
        mask = mask if window is None else mask.triu(past + 1 - window)
    if attn_mask is not None:
        mask = attn_mask if mask is None else mask & attn_mask
    return F.scaled_dot_product_attention(
        query,
        key,
        value,
        attn_mask=mask,
        dropout_p=dropout_p,
        is_causal=is_causal and plain,
        scale=scale,
        enable_gqa=enable_gqa,
    )
