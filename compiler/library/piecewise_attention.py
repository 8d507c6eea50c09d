"""Multi-head attention with its projections, between the pieces of a sequence."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from compiler.library.causal_attention import causal_attention
from compiler.library.keep_masked import keep_masked
from compiler.library.key_values import KeyValues


def piecewise_attention(
    state: KeyValues | None,
    module: nn.MultiheadAttention,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    new_keys: Tensor | None = None,
    keys: Tensor | None = None,
    pairs: Tensor | None = None,
    is_causal: bool = False,
) -> tuple[Tensor, None]:
    """What the module gives for new positions, which attend to all so far.

    query: float[B, T, E], key: float[B, n, K], value: float[B, n, V] -> float[B, T, E]

    Keys and values are kept as they are projected. In masks, True means attend: of
    `new_keys`, bool[B, n], of all `keys` so far, bool[B, S], or of `pairs`,
    bool[T, S], [B, T, S] or [B * heads, T, S].
    """
    query, key, value = _projected(module, query, key, value)
    key, value, new_keys = keep_masked(state, key, value, new_keys)
    keys = new_keys if keys is None else keys
    mask = None if keys is None else keys[:, None, None]
    if pairs is not None:
        if pairs.dim() == 3:
            pairs = torch.unflatten(pairs, 0, (len(query), -1))
        mask = pairs if mask is None else mask & pairs
    heads = module.num_heads, -1
    query, key, value = (
        torch.unflatten(x, -1, heads).transpose(1, 2) for x in (query, key, value)
    )  # [B, heads, n, E // heads]
    attended = causal_attention(
        query,
        key,
        value,
        attn_mask=mask,
        is_causal=is_causal,
        dropout_p=module.dropout if module.training else 0.0,
    )
    return module.out_proj(attended.transpose(1, 2).flatten(-2)), None


def _projected(
    module: nn.MultiheadAttention, *inputs: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Query, key and value as the module projects them."""
    weights: tuple[Tensor, ...]
    if module.in_proj_weight is None:
        weights = module.q_proj_weight, module.k_proj_weight, module.v_proj_weight
    else:
        weights = module.in_proj_weight.chunk(3)
    biases: tuple[Tensor | None, ...] = (None, None, None)
    if module.in_proj_bias is not None:
        biases = module.in_proj_bias.chunk(3)
    parts = zip(inputs, weights, biases, strict=True)
    query, key, value = (F.linear(x, weight, bias) for x, weight, bias in parts)
    return query, key, value
