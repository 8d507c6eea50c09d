"""ALiBi, attention with linear biases."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Alibi(nn.Module):
    """Attention biases that fall linearly with distance, with one slope per head.

    query: any[B, T, ...], key: any[B, S, ...], the query by default
    -> float[1, num_heads, T, S]

    T and S are the sizes of dimension `dim`; queries begin at position `offset`, and
    without a key S is offset + T. For 2^k heads, the slopes are a geometric
    sequence down to 2^-8; other numbers of heads add every other slope of the next
    power of two. The result has the dtype of the query if that is floating, else
    torch's default. Press et al., "Train Short, Test Long", 2022.
    """

    def __init__(self, num_heads: int, dim: int = 1) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.dim = dim

    def forward(
        self, query: Tensor, key: Tensor | None = None, offset: int = 0
    ) -> Tensor:
        rows = offset + query.shape[self.dim]
        columns = rows if key is None else key.shape[self.dim]
        places = torch.arange(max(rows, columns), device=query.device)
        distances = (places[:columns] - places[offset:rows, None]).abs()
        bias = -self.slopes(query.device)[:, None, None] * distances
        floating = query.is_floating_point()
        dtype = query.dtype if floating else torch.get_default_dtype()
        return bias.unsqueeze(0).to(dtype)

    def slopes(self, device: torch.device) -> Tensor:
        """Return float[num_heads], the steepest slope first."""
        whole = 1 << (self.num_heads.bit_length() - 1)
        rest = self.num_heads - whole
        even = torch.arange(1, whole + 1, dtype=torch.float32, device=device)
        odd = torch.arange(1, 2 * rest + 1, 2, dtype=torch.float32, device=device)
        return 2.0 ** -torch.cat((even * (8 / whole), odd * (4 / whole)))

    def extra_repr(self) -> str:
        return f"{self.num_heads}, dim={self.dim}"
