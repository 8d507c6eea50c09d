"""Stochastic depth."""

from __future__ import annotations

from torch import Tensor, nn


class StochasticDepth(nn.Module):
    """Drop residual branches in training with probability p, as dropout does.

    x: float[B, ...] -> float[B, ...]

    Branches that are not dropped are scaled by 1 / (1 - p). Mode "row" samples for each
    example, "batch" once for the batch. Huang et al., "Deep Networks with Stochastic
    Depth", 2016.
    """

    def __init__(self, p: float, mode: str = "row") -> None:
        super().__init__()
        if not 0.0 <= p <= 1.0:
            raise ValueError(f"p must be from 0 to 1, and is {p}")
        self.p = p
        self.mode = mode

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0.0:
            return x
        rows = x.shape[0] if self.mode == "row" else 1
        kept = x.new_empty(rows, *[1] * (x.dim() - 1)).bernoulli_(1.0 - self.p)
        return x * (kept if self.p == 1.0 else kept / (1.0 - self.p))

    def extra_repr(self) -> str:
        return f"{self.p}, mode={self.mode!r}"
