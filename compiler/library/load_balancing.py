"""The load-balancing loss of a mixture of experts."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def load_balancing(
    router_logits: Tensor, top_k: int, mask: Tensor | None = None
) -> Tensor:
    """Load-balancing loss: top_k if all experts are used equally, more otherwise.

    router_logits: float[..., num_experts], mask: bool, True for the tokens to count,
    broadcasting to [...] -> float[]

    Each token uses its top_k experts; probabilities are computed in float32. Fedus et
    al., "Switch Transformers", 2022, equation 4.
    """
    probabilities = F.softmax(router_logits, dim=-1, dtype=torch.float32)
    chosen = probabilities.topk(top_k, dim=-1).indices
    return imbalance(probabilities, chosen, mask).type_as(router_logits)


def imbalance(
    probabilities: Tensor, chosen: Tensor, mask: Tensor | None = None
) -> Tensor:
    """Load-balancing loss, given the experts that each token uses.

    probabilities: float[..., num_experts], chosen: int[..., k], mask: bool[...]
    -> float[]
    """
    used = torch.zeros_like(probabilities).scatter(-1, chosen, 1.0)
    counts = torch.ones_like(probabilities[..., :1])
    if mask is not None:
        counts = counts * mask.expand(probabilities.shape[:-1]).unsqueeze(-1)
    used, probabilities = (
        (x * counts).flatten(0, -2).sum(dim=0) / counts.sum()
        for x in (used, probabilities)
    )
    return (used * probabilities).sum() * probabilities.shape[-1]
