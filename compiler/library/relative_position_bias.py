"""T5's relative position bias."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class RelativePositionBias(nn.Module):
    """A learned attention bias per head and bucket of relative positions.

    query: any[B, T, ...], key: any[B, S, ...], the query by default
    -> float[1, num_heads, T, S]

    T and S are the sizes of dimension `dim`; queries begin at position `offset`, and
    without a key S is offset + T. In each direction, half of the buckets
    hold one distance each, and the others logarithmically larger ranges up to
    max_distance. Raffel et al., "Exploring the Limits of Transfer Learning with a
    Unified Text-to-Text Transformer", 2020.
    """

    def __init__(
        self,
        num_heads: int,
        num_buckets: int = 32,
        max_distance: int = 128,
        bidirectional: bool = True,
        dim: int = 1,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(num_buckets, num_heads))
        self.max_distance = max_distance
        self.bidirectional = bidirectional
        self.dim = dim

    def forward(
        self, query: Tensor, key: Tensor | None = None, offset: int = 0
    ) -> Tensor:
        rows = offset + query.shape[self.dim]
        columns = rows if key is None else key.shape[self.dim]
        places = torch.arange(max(rows, columns), device=query.device)
        distances = places[:columns] - places[offset:rows, None]
        bias = F.embedding(self.bucket(distances), self.weight)
        return bias.permute(2, 0, 1).unsqueeze(0)

    def bucket(self, distance: Tensor) -> Tensor:
        """Return bucket numbers; `distance` is positive for keys after the query."""
        count = self.weight.shape[0]
        after = torch.zeros_like(distance)
        if self.bidirectional:
            count //= 2
            after = (distance > 0) * count
            distance = distance.abs()
        else:
            distance = -distance.clamp(max=0)
        exact = count // 2
        reach = torch.log(distance.clamp(min=exact).float() / exact)
        reach = reach / math.log(self.max_distance / exact)
        far = exact + (reach * (count - exact)).long()
        near = torch.where(distance < exact, distance, far.clamp(max=count - 1))
        return after + near

    def extra_repr(self) -> str:
        count, heads = self.weight.shape
        return f"{heads}, {count}, {self.max_distance}, {self.bidirectional}"
