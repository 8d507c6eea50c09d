"""Swin's relative position bias for attention within windows."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class WindowPositionBias(nn.Module):
    """A learned attention bias per head and relative position within a window.

    -> float[heads, H * W, H * W]: queries, then keys, both in row-major order

    The table has the layout of Liu et al., "Swin Transformer", 2021: row offsets first,
    and each offset from most negative to most positive.
    """

    index: Tensor

    def __init__(self, num_heads: int, height: int, width: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        ways = (2 * height - 1) * (2 * width - 1)
        self.weight = nn.Parameter(torch.zeros(ways, num_heads))
        rows = torch.arange(height).repeat_interleave(width)
        columns = torch.arange(width).repeat(height)
        down = rows[:, None] - rows + height - 1
        right = columns[:, None] - columns + width - 1
        index = down * (2 * width - 1) + right
        self.register_buffer("index", index, persistent=False)

    def forward(self) -> Tensor:
        return self.weight[self.index].permute(2, 0, 1)

    def extra_repr(self) -> str:
        return f"{self.num_heads} heads, {len(self.index)} places"
