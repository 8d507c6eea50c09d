"""Routed experts: each token is sent to a few modules, and their outputs are added."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def run_experts(
    experts: nn.ModuleList, x: Tensor, chosen: Tensor, weights: Tensor
) -> Tensor:
    """The sum over each token's experts of weight * expert(token).

    x: float[..., D], chosen: int[..., k], weights: float[..., k] -> float[..., E]

    Each expert, float[N, D] -> float[N, E], runs on the tokens that chose it. Under
    torch.compile and torch.export, whose graph cannot depend on `chosen`, every expert
    runs on every token. Shazeer et al., "Outrageously Large Neural Networks", 2017.
    """
    tokens, chosen, weights = (one.flatten(0, -2) for one in (x, chosen, weights))
    run = _on_all_tokens if torch.compiler.is_compiling() else _on_own_tokens
    output = run(experts, tokens, chosen, weights).type_as(x)
    return torch.unflatten(output, 0, x.shape[:-1])


def _on_own_tokens(
    experts: nn.ModuleList, tokens: Tensor, chosen: Tensor, weights: Tensor
) -> Tensor:
    # sorted by expert, so that each expert's tokens are contiguous
    order = chosen.flatten().argsort(stable=True)
    rows = order // chosen.shape[1]
    parts = torch.split(tokens[rows], _counts(chosen, len(experts)))
    # without tokens an expert has gradients of 0 in training, and else does not run
    idle = torch.is_grad_enabled() or not tokens.shape[0]
    pairs = zip(experts, parts, strict=True)
    results = torch.cat([expert(part) for expert, part in pairs if len(part) or idle])
    results = results * weights.flatten()[order].unsqueeze(-1)
    output = results.new_zeros(tokens.shape[0], results.shape[-1])
    return output.index_add(0, rows, results)


def _on_all_tokens(
    experts: nn.ModuleList, tokens: Tensor, chosen: Tensor, weights: Tensor
) -> Tensor:
    shares = weights.new_zeros(tokens.shape[0], len(experts))
    shares = shares.scatter_add(1, chosen, weights)
    pairs = zip(experts, torch.split(shares, 1, dim=1), strict=True)
    return torch.stack([expert(tokens) * share for expert, share in pairs]).sum(dim=0)


def _counts(chosen: Tensor, experts: int) -> list[int]:
    """Return the number of tokens of each expert."""
    if chosen.is_meta:  # no values: assign all tokens to one expert
        return [chosen.numel()] + [0] * (experts - 1)
    counts: list[int] = chosen.flatten().bincount(minlength=experts).tolist()
    return counts
