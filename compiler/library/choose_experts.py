"""Routing: which experts see a token, and with which weights."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor


def choose_experts(
    router_logits: Tensor,
    top_k: int,
    bias: Tensor | None = None,
    scores: Literal["softmax", "sigmoid"] = "softmax",
    num_groups: int = 1,
    top_groups: int = 1,
    group_best: int = 2,
    norm_topk_prob: bool = True,
    scale: float = 1.0,
) -> tuple[Tensor, Tensor]:
    """Each token's top_k experts, and their weights.

    router_logits: float[..., num_experts], bias: float[num_experts]
    -> int[..., top_k], float[..., top_k]

    Scores are computed in float32 at least. `bias` is added for the choice alone. Of several
    groups of experts, those top_groups are eligible whose group_best largest scores
    have the largest sums. With norm_topk_prob, a token's weights sum to `scale`.
    DeepSeek-AI, "DeepSeek-V3 Technical Report", 2024, section 2.1.2.
    """
    dtype = torch.promote_types(router_logits.dtype, torch.float32)
    logits = router_logits.to(dtype)
    found = logits.softmax(dim=-1) if scores == "softmax" else logits.sigmoid()
    ranks = found if bias is None else found + bias
    if num_groups > 1:
        groups = torch.unflatten(ranks, -1, (num_groups, -1))
        best = groups.topk(group_best, dim=-1).values.sum(dim=-1)
        others = torch.ones_like(best, dtype=torch.bool)
        others = others.scatter(-1, best.topk(top_groups, dim=-1).indices, False)
        ranks = groups.masked_fill(others.unsqueeze(-1), -torch.inf).flatten(-2)
    experts = ranks.topk(top_k, dim=-1).indices
    weights = found.gather(-1, experts)
    if norm_topk_prob:
        weights = weights / (weights.sum(dim=-1, keepdim=True) + 1e-20)
    return experts, (weights * scale).type_as(router_logits)
