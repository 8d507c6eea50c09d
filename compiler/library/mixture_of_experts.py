"""A mixture of experts: a router selects a few MLPs for each token."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from compiler.library.load_balancing import imbalance


class Experts(nn.Module):
    """MLPs of equal shape, down(activation(up(x))), applied to selected tokens.

    x: float[N, D], chosen: int[N, k], weight: float[N, k]
    -> float[N, D], the weighted sum of the outputs of each token's k experts

    If `gated`, an expert is down(activation(gate(x)) * up(x)), with gate and up in one
    matrix.
    """

    gate_up_proj: nn.Parameter
    up_proj: nn.Parameter

    def __init__(
        self,
        in_features: int,
        hidden_features: int,
        num_experts: int,
        activation: Callable[[Tensor], Tensor] = F.silu,
        gated: bool = True,
    ) -> None:
        super().__init__()
        self.num_experts = num_experts
        self.activation = activation
        self.gated = gated
        up = torch.empty(num_experts, (1 + gated) * hidden_features, in_features)
        down = torch.empty(num_experts, in_features, hidden_features)
        self.register_parameter(
            "gate_up_proj" if gated else "up_proj", nn.Parameter(up)
        )
        self.down_proj = nn.Parameter(down)
        for weight in (up, down):
            nn.init.uniform_(
                weight, -(weight.shape[-1] ** -0.5), weight.shape[-1] ** -0.5
            )

    def forward(self, x: Tensor, chosen: Tensor, weight: Tensor) -> Tensor:
        up = self.gate_up_proj if self.gated else self.up_proj
        if torch.compiler.is_compiling():
            return self.on_all(x, chosen, weight, up)
        # sorted by expert, so that each expert's tokens are contiguous
        order = chosen.flatten().argsort(stable=True)
        counts = self.counts(chosen)
        hidden = self.act(_grouped(x[order // chosen.shape[1]], up, counts))
        results = _grouped(hidden, self.down_proj, counts)
        results = results[order.argsort()].view(*chosen.shape, -1)
        return (results * weight.unsqueeze(-1)).sum(dim=1).type_as(x)

    def on_all(self, x: Tensor, chosen: Tensor, weight: Tensor, up: Tensor) -> Tensor:
        """Run every expert on every token: a graph cannot depend on `chosen`."""
        results = self.act(x @ up.mT) @ self.down_proj.mT
        shares = weight.new_zeros(x.shape[0], self.num_experts)
        shares = shares.scatter(1, chosen, weight).type_as(results)
        return torch.einsum("end,ne->nd", results, shares)

    def act(self, x: Tensor) -> Tensor:
        if not self.gated:
            return self.activation(x)
        gate, up = x.chunk(2, dim=-1)
        return self.activation(gate) * up

    def counts(self, chosen: Tensor) -> list[int]:
        """Return the number of tokens of each expert."""
        if chosen.is_meta:  # no values: assign all tokens to one expert
            return [chosen.numel()] + [0] * (self.num_experts - 1)
        counts: list[int] = (
            chosen.flatten().bincount(minlength=self.num_experts).tolist()
        )
        return counts


def _grouped(x: Tensor, weights: Tensor, counts: list[int]) -> Tensor:
    """Multiply the first counts[0] rows by weights[0], the next by weights[1], etc."""
    groups = zip(torch.split(x, counts), weights, strict=True)
    return torch.cat([F.linear(rows, weight) for rows, weight in groups])


class MixtureOfExperts(nn.Module):
    """Each token's top_k experts, weighted by a router's probabilities.

    x: float[..., D]
    -> float[..., D], router_logits: float[..., num_experts], balance: float[]

    Probabilities are computed in float32, as in published models. With norm_topk_prob,
    those of a token's experts are rescaled to sum to 1. `balance` is the load-balancing
    loss. Shazeer et al., "Outrageously Large Neural Networks", 2017.
    """

    def __init__(
        self,
        in_features: int,
        hidden_features: int,
        num_experts: int,
        top_k: int = 2,
        norm_topk_prob: bool = True,
        activation: Callable[[Tensor], Tensor] = F.silu,
        gated: bool = True,
    ) -> None:
        super().__init__()
        self.top_k = top_k
        self.norm_topk_prob = norm_topk_prob
        self.gate = nn.Linear(in_features, num_experts, bias=False)
        self.experts = Experts(
            in_features, hidden_features, num_experts, activation, gated
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        logits = self.gate(x)
        probabilities = F.softmax(logits, dim=-1, dtype=torch.float32).flatten(0, -2)
        weight, chosen = probabilities.topk(self.top_k, dim=-1)
        balance = imbalance(probabilities, chosen).type_as(x)
        if self.norm_topk_prob:
            weight = weight / weight.sum(dim=-1, keepdim=True)
        output = self.experts(x.flatten(0, -2), chosen, weight)
        return output.view_as(x), logits, balance
